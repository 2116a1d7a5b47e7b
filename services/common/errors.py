"""Errors with a status and a category, and how they are answered."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse


class ServiceError(Exception):
    """A request that could not be served, for a known reason.

    `category` is a word that logs and metrics count by; `retry_after` is in seconds.
    """

    def __init__(
        self, status: int, category: str, message: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.retry_after = retry_after


class SlowClientError(OSError):
    """The client left the response unread for too long."""


def error_response(error: ServiceError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Gives the JSON body every error has: `{"error": {"category": ..., "message": ...}}`."""
    body: dict[str, Any] = {"error": {"category": error.category, "message": error.message}}
    retry = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    return JSONResponse(body, error.status, headers={**retry, **(headers or {})})
