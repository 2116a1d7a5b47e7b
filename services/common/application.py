"""Application: a FastAPI application with health checks and errors as every service has them."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from services.common.errors import ServiceError, error_response
from services.common.observe import noted

_log = logging.getLogger(__name__)


async def _nothing() -> None: ...


def application(
    title: str,
    state: Callable[[], dict[str, str]],
    start: Callable[[], Awaitable[None]] = _nothing,
    stop: Callable[[], Awaitable[None]] = _nothing,
) -> FastAPI:
    """Makes the application.

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

    app = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None)

    async def on_error(request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, ServiceError):
            raise error
        note = noted(request)
        note.category = error.category
        note.fields["error"] = error.message
        return error_response(error)

    async def healthz() -> dict[str, str]:
        """Answers while the process does."""
        return {"status": "ok"}

    async def readyz() -> dict[str, str]:
        """Answers when the service can: before that, its port is closed."""
        return {"status": "ok", **state()}

    app.add_exception_handler(ServiceError, on_error)
    for path in ("/", "/healthz"):
        app.add_api_route(path, healthz)
    app.add_api_route("/readyz", readyz)
    return app
