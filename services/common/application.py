"""Application: a FastAPI application with health checks and errors as every service has them."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from services.common.errors import ServiceError, error_response, internal_error
from services.common.observe import CLIENT_GONE, noted

_log = logging.getLogger(__name__)


async def _nothing() -> None: ...


def application(
    title: str,
    state: Callable[[], dict[str, str]],
    start: Callable[[], Awaitable[None]] = _nothing,
    stop: Callable[[], Awaitable[None]] = _nothing,
) -> FastAPI:
    """Make the application.

    `state` is what `/readyz` tells besides being ready: how what the service calls is doing. That
    it fails is no reason to take an instance out, as every other one would go with it.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await start()
        _log.info("%s is ready", title)
        yield
        await stop()
        _log.info("%s has stopped", title)

    app = FastAPI(
        title=title, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )

    async def on_error(request: Request, error: Exception) -> JSONResponse:
        headers = None
        if isinstance(error, HTTPException):
            headers = error.headers
            error = ServiceError(error.status_code, "no_such_route", str(error.detail))
        if not isinstance(error, ServiceError):
            raise error
        note = noted(request)
        note.category = error.category
        note.fields["error"] = error.message
        return error_response(error, headers)

    async def on_departure(request: Request, _: Exception) -> Response:
        noted(request).category = "client_gone"
        return Response(status_code=CLIENT_GONE)

    async def on_bug(_: Request, __: Exception) -> JSONResponse:
        return error_response(internal_error())

    async def healthz() -> dict[str, str]:
        """Answer while the process does."""
        return {"status": "ok"}

    async def readyz() -> dict[str, str]:
        """Answer when the service can: before that, its port is closed."""
        return {"status": "ok", **state()}

    app.add_exception_handler(ServiceError, on_error)
    app.add_exception_handler(HTTPException, on_error)
    app.add_exception_handler(ClientDisconnect, on_departure)
    # Goes on to Observe then, which logs it.
    app.add_exception_handler(Exception, on_bug)
    for path, answer in (("/", healthz), ("/healthz", healthz), ("/readyz", readyz)):
        app.add_api_route(path, answer, methods=["GET", "HEAD"], response_model=None)
    return app
