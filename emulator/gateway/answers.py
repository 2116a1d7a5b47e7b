"""What a simulated server answers with: words that it was told, or whatever else has some."""

import json
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

Asked = Mapping[str, Any]
"""The document of a request."""


@dataclass(frozen=True)
class Part:
    """A part of an answer, in its order."""

    text: str = ""
    tokens: int = 1
    why: str | None = None
    """The reason that it is the last one."""


class RefusedError(Exception):
    """A request gets no answer, but a status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Answers(Protocol):
    """Where answers come from. Both may raise RefusedError."""

    async def prompt(self, asked: Asked) -> Sequence[str]:
        """Return the tokens of what is asked."""
        ...

    def most(self, asked: Asked) -> int:
        """Return how many tokens the answer may have."""
        ...

    def parts(self, asked: Asked) -> AsyncGenerator[Part]:
        """Yield the answer."""
        ...


@dataclass(frozen=True)
class Told:
    """Always the same words, of which each is a token, as are those of a prompt."""

    words: Sequence[str]

    async def prompt(self, asked: Asked) -> Sequence[str]:
        """Return the words of a conversation, in its order."""
        return list(_words(asked["messages"]))

    def most(self, asked: Asked) -> int:
        """Return how many words there are, if so many may be."""
        return min(len(self.words), limit(asked) or len(self.words))

    async def parts(self, asked: Asked) -> AsyncGenerator[Part]:
        """Yield each word, with what parts it from the one before."""
        words = self.words[: self.most(asked)]
        for number, word in enumerate(words):
            yield Part(f" {word}" if number else word)
        yield Part(tokens=0, why="stop" if len(words) == len(self.words) else "length")


def limit(asked: Asked) -> int | None:
    """Return how many tokens the client takes, if it says so."""
    return asked.get("max_completion_tokens") or asked.get("max_tokens")


def _words(messages: Sequence[Any]) -> Iterator[str]:
    for message in messages:
        fields = cast("Mapping[str, Any]", message) if isinstance(message, dict) else {}
        content = fields.get("content", message)
        yield str(fields.get("role"))
        yield from (content if isinstance(content, str) else json.dumps(content)).split()
