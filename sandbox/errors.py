"""Errors as the cloud words them, with the gRPC status that carries them to the engine."""

from typing import Any, Final

import grpc

_HTTP: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class CloudError(Exception):
    """A request the cloud refuses: `str()` is the whole message, `status` its gRPC code."""

    def __init__(
        self, message: str, status: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION
    ) -> None:
        super().__init__(message)
        self.status = status


class NotReadyError(CloudError):
    """What is there and did not come to work: the state keeps `id` and `properties`, and the next
    run goes on with it."""

    def __init__(self, message: str, id_: str, properties: Any) -> None:
        super().__init__(message, grpc.StatusCode.UNKNOWN)
        self.id = id_
        self.properties = properties


def google(code: int, message: str, reason: str) -> CloudError:
    """Return an error of a Google API: HTTP status, message and reason (`notFound`,
    `alreadyExists`...).

    See https://cloud.google.com/apis/design/errors
    """
    return CloudError(
        f"googleapi: Error {code}: {message}, {reason}",
        _HTTP.get(code, grpc.StatusCode.FAILED_PRECONDITION),
    )


def missing(resource: str) -> CloudError:
    """Return the error for a Google Cloud resource that does not exist."""
    return google(404, f"The resource '{resource}' was not found", "notFound")


def kubernetes(message: str) -> CloudError:
    """Return an error of a Kubernetes API server."""
    return CloudError(message, grpc.StatusCode.FAILED_PRECONDITION)
