"""Pub/Sub's subscription filters, which tell messages apart by their attributes.

    attributes:key            attributes.key = "v"      attributes.key != "v"
    hasPrefix(attributes.key, "v")      NOT x, -x, x AND y, x OR y, (x)

AND and OR in one expression need parentheses. A message without the attribute differs from every
value; the page doesn't say so.
https://cloud.google.com/pubsub/docs/subscription-message-filter#filtering_syntax
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Filter = Callable[[Mapping[str, str]], bool]
"""Tells whether it lets a message with such attributes through."""

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
    """Raise `FilterError` unless `text` is a filter such as `attributes.lang = "en"`."""
    _parsed(text)


def parse_filter(text: str) -> Filter:
    """Read a filter; the empty one lets everything through. Raises `FilterError`."""
    return _parsed(text) if text.strip() else lambda _: True


def _parsed(text: str) -> Filter:
    size = len(text.encode())
    if size > LONGEST_BYTES:
        raise FilterError(f"{size} bytes where {LONGEST_BYTES} are the most")
    return _Reader(_tokens(text)).read()


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

    def read(self) -> Filter:
        found = self._expression()
        if self.position < len(self.tokens):
            raise FilterError(f"{self._here()} where the filter must end, or AND or OR stand")
        return found

    def _expression(self) -> Filter:
        """Return terms joined by AND or by OR: both in one need parentheses."""
        terms, joint = [self._term()], self._peek()
        while self._peek() in _JOINTS:
            if self._peek() != joint:
                raise FilterError(f"{self._here()} beside {joint}: parentheses must part them")
            self.position += 1
            terms.append(self._term())
        judge = any if joint == "OR" else all
        return lambda attributes: judge(term(attributes) for term in terms)

    def _term(self) -> Filter:
        if self._peek() in {"NOT", "-"}:
            self.position += 1
            negated = self._plain_term()
            return lambda attributes: not negated(attributes)
        return self._plain_term()

    def _plain_term(self) -> Filter:
        if self._peek() == "(":
            self._take("(")
            found = self._expression()
            self._take(")")
            return found
        return self._prefix() if self._peek() == "hasPrefix" else self._comparison()

    def _prefix(self) -> Filter:
        self.position += 1
        self._take("(")
        self._take("attributes")
        self._take(".")
        key = self._key()
        self._take(",")
        start = self._text()
        self._take(")")
        return lambda attributes: key in attributes and attributes[key].startswith(start)

    def _comparison(self) -> Filter:
        self._take("attributes")
        if self._peek() == ":":
            self._take(":")
            name = self._key()
            return lambda attributes: name in attributes
        self._take(".")
        key, sign = self._key(), self._peek()
        if sign not in {"=", "!="}:
            raise FilterError(f"{self._here()} where = or != must stand")
        self.position += 1
        value = self._text()
        return lambda attributes: (attributes.get(key) == value) is (sign == "=")

    def _key(self) -> str:
        token = self._peek()
        if token.startswith('"'):
            return self._text()
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", token):
            raise FilterError(f"{self._here()} where an attribute's name must stand")
        self.position += 1
        return token

    def _text(self) -> str:
        token = self._peek()
        if not token.startswith('"'):
            raise FilterError(f"{self._here()} where a text in double quotes must stand")
        try:
            value = str(json.loads(token))
        except ValueError as problem:
            raise FilterError(f"{token[:40]}, a text that can't be read: {problem}") from None
        self.position += 1
        return value

    def _take(self, token: str) -> None:
        if self._peek() != token:
            raise FilterError(f"{self._here()} where {token} must stand")
        self.position += 1

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _here(self) -> str:
        return self._peek() or "the end"
