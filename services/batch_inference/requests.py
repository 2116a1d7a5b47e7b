"""What a batch asks: requests with an id, from lines of files and rows of tables."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

_URL: Final = "/v1/chat/completions"


@dataclass(frozen=True)
class Request:
    """One request, and what is wrong with it where it can't be sent."""

    custom_id: str
    body: Mapping[str, Any]
    problem: str = ""

    def is_of(self, task: int, tasks: int) -> bool:
        """Return whether it is of that task: always of the same one."""
        digest = hashlib.sha256(self.custom_id.encode(errors="replace")).digest()
        return int.from_bytes(digest[:8]) % tasks == task


class NoIdError(ValueError):
    """A line without a custom_id: nothing could be said of its result."""


def from_line(line: bytes | str) -> Request:
    """Return the request of a line. Raises NoIdError.

    https://platform.openai.com/docs/guides/batch#1-prepare-your-batch-file
    """
    try:
        read: Any = json.loads(line)
        custom_id: Any = read["custom_id"]
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise NoIdError("no JSON object with a custom_id") from problem
    if not isinstance(custom_id, str) or not custom_id:
        raise NoIdError("the custom_id is no text")
    given = cast("Mapping[str, Any]", read)
    body: Any = given.get("body")
    if given.get("url", _URL) != _URL:
        return Request(custom_id, {}, f"the url is not {_URL}")
    if not isinstance(body, dict) or not isinstance(cast("Any", body).get("messages"), list):
        return Request(custom_id, {}, "the body has no messages")
    return Request(custom_id, {**cast("dict[str, Any]", body), "stream": False})


def from_prompt(custom_id: str, prompt: str, system: str, max_tokens: int) -> Request:
    """Return the request of a table's row."""
    messages = [{"role": "user", "content": prompt}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    return Request(custom_id, {"messages": messages, "max_tokens": max_tokens})
