"""Errors with a status and a category, and how they are answered."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

_LONGEST_MESSAGE = 1000


class ServiceError(Exception):
    """A request that could not be served, for a known reason.

    `category` is a word that logs and metrics count by; `retry_after` is in seconds. A message that
    repeats what a caller sent is cut after a thousand characters.
    """

    def __init__(
        self, status: int, category: str, message: str, retry_after: int | None = None
    ) -> None:
        message = shortened(message, _LONGEST_MESSAGE)
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.retry_after = retry_after


def shortened(text: str, most: int) -> str:
    """Return the text, cut after so many characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def internal_error() -> ServiceError:
    """Return what is answered for a bug."""
    return ServiceError(500, "internal", "an error of ours; the log has it")


class SlowClientError(OSError):
    """The client left the response unread for too long."""


def error_response(error: ServiceError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the JSON body every error has: `{"error": {"category": ..., "message": ...}}`."""
    body: dict[str, Any] = {"error": {"category": error.category, "message": error.message}}
    retry = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    return JSONResponse(body, error.status, headers={**retry, **(headers or {})})
