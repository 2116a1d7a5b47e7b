"""Filters of subscriptions: Pub/Sub's language over a message's attributes.

    attributes:key            attributes.key = "v"      attributes.key != "v"
    hasPrefix(attributes.key, "v")      NOT x, -x, x AND y, x OR y, (x)

AND and OR in one expression need parentheses. A message without the attribute differs from every
value; the page doesn't say so. https://cloud.google.com/pubsub/docs/filtering
"""

import json
import re
from collections.abc import Callable, Mapping

Filter = Callable[[Mapping[str, str]], bool]

LONGEST_BYTES = 256

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(!=|[()=:.,-])|([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*))')


class FilterError(ValueError):
    """A filter that Pub/Sub would refuse; tells where."""


def parse_filter(text: str) -> Filter:
    """Reads a filter; the empty one lets everything through. Raises FilterError."""
    if not text.strip():
        return lambda _: True
    if len(text.encode()) > LONGEST_BYTES:
        raise FilterError(f"found {len(text.encode())} bytes, allowed: up to {LONGEST_BYTES}")
    parser = _Parser(text)
    matches = parser.expression()
    parser.expect_end()
    return matches


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                raise FilterError(f"found {text[position:].strip()!r} at {position} in {text!r}")
            self._tokens.append((found.group(found.lastindex or 0), found.end()))
            position = found.end()
        self._next = 0

    def expression(self) -> Filter:
        terms, joint = [self._term()], self._peek()
        if joint not in ("AND", "OR"):
            return terms[0]
        while self._take(joint):
            terms.append(self._term())
        if self._peek() in ("AND", "OR"):
            raise FilterError(f"AND and OR need parentheses in {self._text!r}")
        every = joint == "AND"
        return lambda attributes: (all if every else any)(term(attributes) for term in terms)

    def expect_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._wrong("the end")

    def _term(self) -> Filter:
        if self._take("NOT") or self._take("-"):
            term = self._term()
            return lambda attributes: not term(attributes)
        if self._take("("):
            inner = self.expression()
            self._expect(")")
            return inner
        if self._take("hasPrefix"):
            self._expect("(")
            self._expect("attributes")
            self._expect(".")
            key = self._key()
            self._expect(",")
            value = self._string()
            self._expect(")")
            return lambda attributes: (
                attributes.get(key, "").startswith(value) and key in attributes
            )
        self._expect("attributes")
        if self._take(":"):
            key = self._key()
            return lambda attributes: key in attributes
        self._expect(".")
        key = self._key()
        differs = self._take("!=")
        if not differs:
            self._expect("=")
        value = self._string()
        return lambda given: (given.get(key) == value) is not differs

    def _peek(self) -> str | None:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else None

    def _take(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._next += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._wrong(repr(token))

    def _key(self) -> str:
        token = self._peek()
        if token is None or not re.match(r'["\w]', token):
            raise self._wrong("an attribute's key")
        return self._string() if token.startswith('"') else self._advance(token)

    def _string(self) -> str:
        token = self._peek()
        if token is None or not token.startswith('"'):
            raise self._wrong('a value in "quotes"')
        try:
            value = json.loads(token)
        except ValueError as problem:
            raise FilterError(f"the string {token} cannot be read: {problem}") from problem
        self._next += 1
        return str(value)

    def _advance(self, token: str) -> str:
        self._next += 1
        return token

    def _wrong(self, wanted: str) -> FilterError:
        found = self._peek()
        return FilterError(
            f"found {'the end' if found is None else repr(found)} in {self._text!r}, "
            f"allowed there: {wanted}"
        )
