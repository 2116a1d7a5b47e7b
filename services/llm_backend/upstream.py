"""Upstream: calls the OpenAI-compatible endpoint, again where that can help."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from services.common.errors import ServiceError
from services.common.logs import FIELDS
from services.llm_backend.credentials import Credentials
from services.llm_backend.settings import Settings

if TYPE_CHECKING:
    import ssl

    import httpx

_log = logging.getLogger(__name__)
_BUSY = (429, 500, 502, 503, 504)
_REFUSALS = (400, 404, 413, 422)


class UpstreamError(ServiceError):
    """The endpoint failed; `passing` where the next try may not."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        passing: bool,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(status, category, message, retry_after)
        self.passing = passing


class Upstream:
    """Tries again, with growing waits and jitter, what failed before any of the reply came."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = f"{settings.llm_base_url.rstrip('/')}/chat/completions"
        self._credentials = Credentials(settings)
        self._client: httpx.AsyncClient | None = None

    async def complete(self, prompt: dict[str, Any]) -> dict[str, Any]:
        """Gives a whole chat completion. Raises `UpstreamError`."""
        import stamina

        async for attempt in stamina.retry_context(**self._retry()):
            with attempt:
                async with self._open(prompt) as response:
                    return await _json(response)
        raise AssertionError("the last attempt raises")

    @asynccontextmanager
    async def stream(self, prompt: dict[str, Any]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Opens a stream of server-sent events as they come. Raises `UpstreamError`."""
        async with AsyncExitStack() as stack:
            yield _events(await self._opened(prompt, stack))

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _opened(self, prompt: dict[str, Any], stack: AsyncExitStack) -> "httpx.Response":
        import stamina

        async for attempt in stamina.retry_context(**self._retry()):
            with attempt:
                return await stack.enter_async_context(self._open(prompt))
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
    async def _open(self, prompt: dict[str, Any]) -> "AsyncGenerator[httpx.Response]":
        import httpx

        headers = await self._headers()
        try:
            async with self._connected().stream(
                "POST", self._url, json=prompt, headers=headers
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise _refusal(response)
                yield response
        except httpx.TimeoutException as problem:
            raise UpstreamError(
                504, "model_timeout", "the model did not answer in time", passing=True
            ) from problem
        except httpx.TransportError as problem:
            raise UpstreamError(
                502, "model_unreachable", f"the model cannot be reached: {problem}", passing=True
            ) from problem

    async def _headers(self) -> dict[str, str]:
        from opentelemetry import propagate

        try:
            headers = await self._credentials.headers()
        except Exception as problem:
            raise UpstreamError(
                502, "model_auth", f"no token for the model: {problem}", passing=True
            ) from problem
        propagate.inject(headers)
        return headers

    def _connected(self) -> "httpx.AsyncClient":
        if self._client is None:
            import httpx

            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(
                    self._settings.read_timeout_seconds,
                    connect=self._settings.connect_timeout_seconds,
                ),
                limits=httpx.Limits(max_connections=self._settings.max_concurrency),
                trust_env=False,
                verify=_trust(self._settings.llm_ca_file),
            )
        return self._client


def _trust(ca_file: str) -> "ssl.SSLContext | bool":
    """Gives what the endpoint's certificate is checked by. Raises OSError without the file."""
    if not ca_file:
        return True
    import ssl

    return ssl.create_default_context(cafile=ca_file)


def _may_pass(problem: Exception) -> bool:
    if not isinstance(problem, UpstreamError) or not problem.passing:
        return False
    _log.info("a try failed", extra={FIELDS: {"error_category": problem.category}})
    return True


def _refusal(response: "httpx.Response") -> UpstreamError:
    status = response.status_code
    if status in _BUSY:
        answer = 429 if status == 429 else 502 if status == 500 else 503
        return UpstreamError(
            answer, "model_busy", f"the model answers {status}", passing=True, retry_after=5
        )
    if status in (401, 407):
        return UpstreamError(502, "model_auth", f"the model answers {status}", passing=False)
    if status == 403:
        # Model Armor's verdict, or a missing grant: the text tells them apart.
        return UpstreamError(403, "model_refused", _message(response), passing=False)
    if status in _REFUSALS:
        return UpstreamError(422, "model_refused", _message(response), passing=False)
    return UpstreamError(502, "model_error", f"the model answers {status}", passing=False)


def _message(response: "httpx.Response") -> str:
    try:
        said = str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = response.text
    return f"the model refuses ({response.status_code}): {said[:500]}"


async def _json(response: "httpx.Response") -> dict[str, Any]:
    await response.aread()
    try:
        completion: Any = response.json()
        completion["choices"][0]["message"]["content"]
    except (ValueError, KeyError, TypeError, IndexError) as problem:
        raise UpstreamError(
            502, "model_error", "the model's answer is no chat completion", passing=False
        ) from problem
    return completion


async def _events(response: "httpx.Response") -> AsyncIterator[bytes]:
    import httpx

    try:
        async for data in response.aiter_bytes():
            yield data
    except httpx.TimeoutException as problem:
        raise ServiceError(504, "model_timeout", "the model fell silent") from problem
    except httpx.TransportError as problem:
        raise ServiceError(502, "model_broke_off", f"the reply broke off: {problem}") from problem
    except asyncio.CancelledError:
        await response.aclose()
        raise
