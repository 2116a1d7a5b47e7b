"""An exchange with a model, as it becomes a row of the table of predictions."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from services.common.hashes import hash_text
from services.common.sink import Row
from services.llm_backend.redaction import redacted

_KEPT: Final[Mapping[str, Callable[[str], str | None]]] = {
    "none": lambda _: None,
    "hashes": hash_text,
    "texts": redacted,
}
CONTENTS: Final = tuple(_KEPT)


@dataclass
class Exchange:
    """What was asked and answered; what is not known is empty."""

    model: str
    consumer: str
    prompt: str
    about: dict[str, Any]
    """Whatever else is known of it, for the column of JSON."""
    response: str = ""
    usage: Mapping[str, int] = field(default_factory=dict[str, int])
    """Tokens the model counted; none for an answer of the cache, which cost none."""
    finish_reason: str | None = None
    first_token_ms: int | None = None
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: float = field(default_factory=time.perf_counter)

    def elapsed_ms(self) -> int:
        """Return the time since the request came."""
        return round((time.perf_counter() - self._started) * 1000)

    def is_in(self, percent: int) -> bool:
        """Return whether it belongs to that share of all, always the same for the same one."""
        return int(self.request_id[:8], 16) % 100 < percent

    def row(self, content: str, content_percent: int) -> Row:
        """Return the row: counts of every exchange, and content of a share of them."""
        keep = _KEPT[content if self.is_in(content_percent) else "none"]
        return {
            "request_id": self.request_id,
            "requested_at": int(self._requested_at.timestamp() * 1_000_000),
            "model": self.model,
            "consumer": self.consumer,
            "prompt": keep(self.prompt),
            "response": keep(self.response),
            "prompt_tokens": self.usage.get("prompt_tokens"),
            "completion_tokens": self.usage.get("completion_tokens"),
            "latency_ms": self.elapsed_ms(),
            "first_token_ms": self.first_token_ms,
            "finish_reason": self.finish_reason,
            "metadata": json.dumps(self.about),
        }

    def hear(self, event: str) -> None:
        """Take what an event of a streamed answer says; one that can't be read says nothing."""
        try:
            said: Any = json.loads(event)
            for choice in said["choices"]:
                text = choice["delta"].get("content")
                if text and self.first_token_ms is None:
                    self.first_token_ms = self.elapsed_ms()
                self.response += text or ""
                self.finish_reason = choice.get("finish_reason") or self.finish_reason
            usage = cast("Mapping[str, Any]", said.get("usage") or {})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        self.usage = {key: count for key, count in usage.items() if isinstance(count, int)} or (
            self.usage
        )


class Listener:
    """Hears the events of a stream, however its pieces are cut."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._rest = b""

    def take(self, data: bytes) -> None:
        """Take the next piece."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._exchange.hear(line[5:].decode(errors="replace"))
