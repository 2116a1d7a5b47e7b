"""Upstream: calls the OpenAI-compatible endpoint, again where that can help."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from services.common.bodies import explain
from services.common.completion import Completion
from services.common.credentials import Credentials
from services.common.errors import ServiceError
from services.common.logs import FIELDS
from services.common.upstream_settings import UpstreamSettings

if TYPE_CHECKING:
    import ssl

    import aiohttp

_log = logging.getLogger(__name__)
_BUSY = (429, 500, 502, 503, 504)
_REFUSALS = (400, 404, 413, 422)
_EVENTS = "text/event-stream"
_LAST_EVENT = b"[DONE]"


class UpstreamError(ServiceError):
    """The endpoint failed; `passing` where the next try may not, `answered` with what status where
    it refuses this one request."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        passing: bool,
        retry_after: int | None = None,
        answered: int | None = None,
    ) -> None:
        super().__init__(status, category, message, retry_after)
        self.passing = passing
        self.answered = answered


class Upstream:
    """Tries again, with growing waits and jitter, what failed before any of the reply came."""

    def __init__(
        self,
        settings: UpstreamSettings,
        connections: int,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._given = dict(headers or {})
        self._url = f"{settings.llm_base_url.rstrip('/')}/chat/completions"
        self._credentials = Credentials(settings)
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, prompt: dict[str, Any]) -> Completion:
        """Return a whole chat completion. Raises `UpstreamError`."""
        import stamina

        async for attempt in stamina.retry_context(**self._retry()):
            with attempt:
                async with self._open(prompt) as response:
                    return _completion(await response.read())
        raise AssertionError("the last attempt raises")

    @asynccontextmanager
    async def stream(self, prompt: dict[str, Any]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Open a stream of server-sent events as they come. Raises `UpstreamError`."""
        async with AsyncExitStack() as stack:
            yield _events(await self._opened(prompt, stack))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _opened(
        self, prompt: dict[str, Any], stack: AsyncExitStack
    ) -> "aiohttp.ClientResponse":
        import stamina

        async for attempt in stamina.retry_context(**self._retry()):
            with attempt:
                response = await stack.enter_async_context(self._open(prompt))
                if response.content_type != _EVENTS:
                    raise UpstreamError(
                        502,
                        "model_error",
                        f"the model answers {response.content_type}, not {_EVENTS}",
                        passing=False,
                    )
                return response
        raise AssertionError("the last attempt raises")

    def _retry(self) -> dict[str, Any]:
        return {
            "on": _may_pass,
            "attempts": self._settings.attempts,
            "timeout": self._settings.retry_seconds,
            "wait_initial": 0.2,
            "wait_max": 5.0,
            "wait_jitter": 0.5,
        }

    @asynccontextmanager
    async def _open(self, prompt: dict[str, Any]) -> "AsyncGenerator[aiohttp.ClientResponse]":
        import aiohttp

        headers = await self._headers()
        settings = self._settings
        try:
            # The client's own timeouts leave out an endpoint that does not read the request.
            async with asyncio.timeout(
                settings.connect_timeout_seconds + settings.read_timeout_seconds
            ):
                response = await self._connected().post(
                    self._url, json=prompt, headers=headers, allow_redirects=False
                )
            async with response:
                if not 200 <= response.status < 300:
                    raise _refusal(response.status, await response.read())
                yield response
        except TimeoutError as problem:
            raise UpstreamError(
                504, "model_timeout", "the model did not answer in time", passing=True
            ) from problem
        except aiohttp.ClientError as problem:
            raise UpstreamError(
                502, "model_unreachable", f"the model cannot be reached: {problem}", passing=True
            ) from problem

    async def _headers(self) -> dict[str, str]:
        from opentelemetry import propagate

        try:
            headers = {**self._given, **await self._credentials.headers()}
        except Exception as problem:
            raise UpstreamError(
                502, "model_auth", f"no token for the model: {problem}", passing=True
            ) from problem
        propagate.inject(headers)
        return headers

    def _connected(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, ssl=_trust(settings.llm_ca_file)
                ),
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=settings.connect_timeout_seconds,
                    sock_read=settings.read_timeout_seconds,
                ),
                # One caller's cookies are not the next one's.
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _trust(ca_file: str) -> "ssl.SSLContext | bool":
    """Return what the endpoint's certificate is checked by. Raises OSError without the file."""
    if not ca_file:
        return True
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _may_pass(problem: Exception) -> bool:
    if not isinstance(problem, UpstreamError) or not problem.passing:
        return False
    _log.info("a try failed", extra={FIELDS: {"error_category": problem.category}})
    return True


def _refusal(status: int, body: bytes) -> UpstreamError:
    if status in _BUSY:
        answer = 429 if status == 429 else 502 if status == 500 else 503
        return UpstreamError(
            answer, "model_busy", f"the model answers {status}", passing=True, retry_after=5
        )
    if status in (401, 407):
        return UpstreamError(502, "model_auth", f"the model answers {status}", passing=False)
    message = f"the model refuses ({status}): {_said(body)}"
    if status == 403:
        # Model Armor's verdict, or a missing grant: the text tells them apart.
        return UpstreamError(403, "model_refused", message, passing=False, answered=403)
    if status in _REFUSALS:
        return UpstreamError(422, "model_refused", message, passing=False, answered=status)
    return UpstreamError(502, "model_error", f"the model answers {status}", passing=False)


def _said(body: bytes) -> str:
    try:
        said = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        said = body.decode(errors="replace")
    # Half a surrogate pair, which JSON can name, can be neither sent on nor logged.
    return said[:500].encode(errors="replace").decode()


def _completion(body: bytes) -> Completion:
    try:
        return Completion.model_validate_json(body)
    except ValidationError as problem:
        raise UpstreamError(
            502,
            "model_error",
            f"the model's answer is no chat completion: {explain(problem)}",
            passing=False,
        ) from problem


async def _events(response: "aiohttp.ClientResponse") -> AsyncIterator[bytes]:
    import aiohttp

    end = b""
    try:
        async for data in response.content.iter_any():
            end = (end + data)[-2 * len(_LAST_EVENT) :]
            yield data
    except TimeoutError as problem:
        raise ServiceError(504, "model_timeout", "the model fell silent") from problem
    except aiohttp.ClientError as problem:
        raise ServiceError(502, "model_broke_off", f"the reply broke off: {problem}") from problem
    except asyncio.CancelledError:
        response.close()
        raise
    if _LAST_EVENT not in end:
        raise ServiceError(502, "model_broke_off", "the reply ended without its last event")
