"""Cache: replies in Redis, by prompt and model. Without Redis there is none, and no error."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from services.llm_backend.messages import ChatReply
from services.llm_backend.redis_options import redis_options
from services.llm_backend.redis_pause import RedisPause
from services.llm_backend.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis


class Cache:
    """Replies are shared by callers: the same prompt to the same model gets the same reply."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.redis_url.get_secret_value()
        self._options = redis_options(settings)
        self._seconds = settings.cache_seconds
        self._pause = RedisPause("cache")
        self._redis: Redis | None = None

    @property
    def state(self) -> str:
        """off, ok or failing."""
        if not self._url:
            return "off"
        return "failing" if self._pause.active else "ok"

    async def get(self, prompt: dict[str, Any]) -> ChatReply | None:
        """Return the reply kept for the prompt, if any."""
        if self.state != "ok":
            return None
        try:
            kept: Any = await self._connected().get(_key(prompt))
            return None if kept is None else ChatReply.model_validate_json(kept)
        except ValidationError:  # of an older version of the service
            return None
        except Exception as problem:
            self._pause.failed(problem)
            return None

    async def put(self, prompt: dict[str, Any], reply: ChatReply) -> None:
        """Keep a reply, if it can."""
        if self.state != "ok":
            return
        try:
            await self._connected().set(_key(prompt), reply.model_dump_json(), ex=self._seconds)
        except Exception as problem:
            self._pause.failed(problem)

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.aclose()

    def _connected(self) -> "Redis":
        if self._redis is None:
            from redis.asyncio import Redis

            self._redis = Redis.from_url(self._url, **self._options)
        return self._redis


def _key(prompt: dict[str, Any]) -> str:
    text = json.dumps(prompt, sort_keys=True)
    return f"reply:{hashlib.sha256(text.encode()).hexdigest()}"
