"""Limits: bounds the size of bodies, the time to send them, and the requests worked on at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.errors import ServiceError, SlowClientError
from services.common.observe import is_probe
from services.common.settings import ServerSettings


class Limits:
    """Takes the whole body first, then a turn: a slow sender keeps nobody else waiting.

    Raises `ServiceError` 400, 408, 413 and 503 for `Observe` to answer.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self._app = app
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.max_concurrency)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request within the limits, or pass on what is none."""
        if scope["type"] != "http" or (is_probe(scope) and not _lengths(scope)):
            await self._app(scope, receive, send)
            return
        body: bytes | None = await self._body(scope, receive)

        async def replayed_receive() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            given, body = body, None
            return {"type": "http.request", "body": given, "more_body": False}

        async def timed_send(message: Message) -> None:
            try:
                async with asyncio.timeout(self._settings.write_timeout_seconds):
                    await send(message)
            except TimeoutError as problem:
                raise SlowClientError("the client does not read the response") from problem

        async with self._turn():
            await self._app(scope, replayed_receive, timed_send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if len(_lengths(scope)) > 1:
            # Who forwards the request may have read another one: the line is closed.
            raise ServiceError(
                400, "malformed_http", "found content-length and transfer-encoding, allowed: one"
            )
        most = self._settings.max_body_bytes
        too_large = ServiceError(413, "body_too_large", f"allowed: up to {most} bytes")
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > most:
            raise too_large
        seconds = self._settings.body_timeout_seconds
        body = bytearray()
        try:
            async with asyncio.timeout(seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    body += message.get("body", b"")
                    if len(body) > most:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as problem:
            raise ServiceError(
                408, "slow_body", f"the body did not arrive within {seconds:g} seconds"
            ) from problem

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(self._settings.queue_seconds):
                await self._turns.acquire()
        except TimeoutError as problem:
            most = self._settings.max_concurrency
            raise ServiceError(
                503, "overloaded", f"{most} requests are being worked on", retry_after=1
            ) from problem
        try:
            yield
        finally:
            self._turns.release()


def _lengths(scope: Scope) -> set[str]:
    """Return the headers that say how long the body is."""
    return {"content-length", "transfer-encoding"} & set(Headers(scope=scope).keys())
