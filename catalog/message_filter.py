"""The grammar of Pub/Sub's subscription filters, which tell messages apart by their attributes.

https://cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_BYTES = 256

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z0-9_][A-Za-z0-9_-]*)
      | (?P<sign>!=|[=:.,()-])
    )""",
    re.VERBOSE,
)
_JOINTS = ("AND", "OR")


class FilterError(ValueError):
    """A filter Pub/Sub would refuse; the message says what stands where something else must."""


def check_filter(text: str) -> None:
    """Raises `FilterError` unless `text` is a filter such as `attributes.lang = "en"`."""
    size = len(text.encode())
    if size > LONGEST_BYTES:
        raise FilterError(f"{size} bytes where {LONGEST_BYTES} are the most")
    _Reader(_tokens(text)).read()


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise FilterError(f"{text[position:].strip()[:20]!r} where a term must begin or go on")
        tokens.append(found.group().strip())
        position = found.end()
    return tokens


@dataclass
class _Reader:
    tokens: list[str]
    position: int = 0

    def read(self) -> None:
        self._expression()
        if self.position < len(self.tokens):
            raise FilterError(f"{self._here()} where the filter must end, or AND or OR stand")

    def _expression(self) -> None:
        """Terms joined by AND or by OR: both in one need parentheses."""
        self._term()
        joint = self._peek()
        while self._peek() in _JOINTS:
            if self._peek() != joint:
                raise FilterError(f"{self._here()} beside {joint}: parentheses must part them")
            self.position += 1
            self._term()

    def _term(self) -> None:
        if self._peek() in {"NOT", "-"}:
            self.position += 1
        if self._peek() == "(":
            self._take("(")
            self._expression()
            self._take(")")
        elif self._peek() == "hasPrefix":
            self.position += 1
            self._take("(")
            self._take("attributes")
            self._take(".")
            self._key()
            self._take(",")
            self._text()
            self._take(")")
        else:
            self._comparison()

    def _comparison(self) -> None:
        self._take("attributes")
        if self._peek() == ":":
            self._take(":")
            self._key()
            return
        self._take(".")
        self._key()
        if self._peek() not in {"=", "!="}:
            raise FilterError(f"{self._here()} where = or != must stand")
        self.position += 1
        self._text()

    def _key(self) -> None:
        token = self._peek()
        if not re.fullmatch(r'[A-Za-z0-9_][A-Za-z0-9_-]*|".*"', token, re.DOTALL):
            raise FilterError(f"{self._here()} where an attribute's name must stand")
        self.position += 1

    def _text(self) -> None:
        if not self._peek().startswith('"'):
            raise FilterError(f"{self._here()} where a text in double quotes must stand")
        self.position += 1

    def _take(self, token: str) -> None:
        if self._peek() != token:
            raise FilterError(f"{self._here()} where {token} must stand")
        self.position += 1

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _here(self) -> str:
        return self._peek() or "the end"
