"""Runs a service until SIGTERM, then lets it finish what it began."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import uvicorn
from pydantic import ValidationError
from starlette.types import ASGIApp

from services.common.limits import Limits
from services.common.logs import configure_logs
from services.common.observe import Observe
from services.common.protocol import TimedProtocol
from services.common.settings import ServerSettings
from services.common.telemetry import configure_telemetry

S = TypeVar("S", bound=ServerSettings)


def _ignore(number: int, frame: FrameType | None) -> None: ...


def serve(service: str, settings_type: type[S], build: Callable[[S], ASGIApp]) -> int:
    """Serve what `build` makes; return the exit code: 0 after SIGTERM, 2 for wrong settings."""
    try:
        settings = settings_type.load()
    except ValidationError as problem:
        print(f"{service}: wrong settings: {problem}", file=sys.stderr)
        return 2
    configure_logs(settings.google_cloud_project, settings.log_level)
    send_rest = configure_telemetry(service)
    TimedProtocol.header_timeout_seconds = settings.header_timeout_seconds
    app = Observe(Limits(build(settings), settings), service)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=TimedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    # The server sends itself the signal again when it is done; being stopped is no failure.
    signal.signal(signal.SIGTERM, _ignore)
    server = uvicorn.Server(config)
    try:
        server.run()
    finally:
        send_rest()
    return 0 if server.started else 3
