"""The Logging query language, as far as the platform's alerts use it.

https://cloud.google.com/logging/docs/view/logging-query-language
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

Matches = Callable[[Mapping[str, str]], bool]

_TOKEN: Final = re.compile(r'\s*(?:([()])|(>=|=)|("[^"]*"|\w+(?:\.(?:\w+|"[^"]*"))*))')
_SEVERITIES: Final = (
    *("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"),
)
_ALLOWED: Final = (
    'path="value", path=("a" OR "b") and severity>=ERROR, joined by AND, OR, NOT and parentheses'
)


@cache
def parsed(text: str) -> Matches:
    """Return what tells whether a log entry, by paths, matches. Raises ValueError."""
    tokens = _tokens(text)
    found = _Parser(text, tokens).conjunction()
    if tokens:
        raise _refused(text)
    return found


def _tokens(text: str) -> list[str]:
    """Return the words of a filter, the last first."""
    found: list[str] = []
    at = 0
    while text[at:].strip():
        token = _TOKEN.match(text, at)
        if token is None:
            raise _refused(text)
        found.append(token[0].strip())
        at = token.end()
    return found[::-1]


def _refused(text: str) -> ValueError:
    return ValueError(f"found {text!r}, allowed here: {_ALLOWED}")


class _Parser:
    """Reads a filter from left to right. OR binds closer than AND."""

    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text = text
        self._tokens = tokens

    def conjunction(self) -> Matches:
        terms = [self._disjunction()]
        while self._took("AND"):
            terms.append(self._disjunction())
        return lambda entry: all(term(entry) for term in terms)

    def _disjunction(self) -> Matches:
        terms = [self._term()]
        while self._took("OR"):
            terms.append(self._term())
        return lambda entry: any(term(entry) for term in terms)

    def _term(self) -> Matches:
        if self._took("NOT"):
            term = self._term()
            return lambda entry: not term(entry)
        if self._took("("):
            found = self.conjunction()
            self._expect(")")
            return found
        path = self._next()
        if self._took(">="):
            return self._severe(path, self._next())
        self._expect("=")
        values = [self._value()] if not self._took("(") else self._several()
        return lambda entry: entry.get(path) in values

    def _severe(self, path: str, least: str) -> Matches:
        if path != "severity" or least not in _SEVERITIES:
            raise _refused(self._text)
        enough = _SEVERITIES[_SEVERITIES.index(least) :]
        return lambda entry: entry.get(path) in enough

    def _several(self) -> list[str]:
        values = [self._value()]
        while self._took("OR"):
            values.append(self._value())
        self._expect(")")
        return values

    def _value(self) -> str:
        return self._next().strip('"')

    def _next(self) -> str:
        if not self._tokens or self._tokens[-1] in ("(", ")", "=", ">=", "AND", "OR", "NOT"):
            raise _refused(self._text)
        return self._tokens.pop()

    def _took(self, token: str) -> bool:
        taken = bool(self._tokens) and self._tokens[-1] == token
        if taken:
            self._tokens.pop()
        return taken

    def _expect(self, token: str) -> None:
        if not self._took(token):
            raise _refused(self._text)
