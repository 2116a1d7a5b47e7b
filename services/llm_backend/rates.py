"""Rates: how often a caller may ask, counted in Redis, or by instance while there is none."""

import time
from math import ceil
from typing import TYPE_CHECKING, Any

from limits import parse

from services.common.errors import ServiceError
from services.llm_backend.redis_options import redis_options
from services.llm_backend.redis_pause import RedisPause
from services.llm_backend.settings import Settings

if TYPE_CHECKING:
    from limits.aio.strategies import FixedWindowRateLimiter


class Rates:
    """One count for each caller."""

    def __init__(self, settings: Settings) -> None:
        self._limit = parse(settings.rate_limit)
        self._url = settings.redis_url.get_secret_value()
        self._options = redis_options(settings)
        self._pause = RedisPause("rate_limit")
        self._shared: FixedWindowRateLimiter | None = None
        self._own: FixedWindowRateLimiter | None = None

    async def check(self, caller: str) -> None:
        """Count a request. Raises `ServiceError` 429 when it is one too many."""
        if self._url and not self._pause.active:
            try:
                await self._hit(self._shared_limiter(), caller)
                return
            except ServiceError:
                raise
            except Exception as problem:
                self._pause.failed(problem)
        await self._hit(self._own_limiter(), caller)

    async def _hit(self, limiter: "FixedWindowRateLimiter", caller: str) -> None:
        if await limiter.hit(self._limit, caller):
            return
        window = await limiter.get_window_stats(self._limit, caller)
        wait = max(1, ceil(window.reset_time - time.time()))
        raise ServiceError(
            429, "rate_limited", f"allowed: {self._limit}; wait {wait} s", retry_after=wait
        )

    def _shared_limiter(self) -> "FixedWindowRateLimiter":
        if self._shared is None:
            self._shared = _limiter(f"async+{self._url}", implementation="redispy", **self._options)
        return self._shared

    def _own_limiter(self) -> "FixedWindowRateLimiter":
        if self._own is None:
            self._own = _limiter("async+memory://")
        return self._own


def _limiter(url: str, **options: Any) -> "FixedWindowRateLimiter":
    from limits.aio.strategies import FixedWindowRateLimiter
    from limits.storage import storage_from_string

    storage: Any = storage_from_string(url, **options)
    return FixedWindowRateLimiter(storage)
