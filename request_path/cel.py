"""Conditions of extension chains: a part of CEL, enough to prove which requests they take.

Read are the usual tests of a request: path, host, method and headers, joined by &&, || and !.
Attributes and functions:
https://cloud.google.com/service-extensions/docs/cel-matcher-language-reference
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


class CelError(ValueError):
    """An expression outside of what is read here."""


@dataclass(frozen=True)
class Constant:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True)
class Comparison:
    """A test of one attribute: `path`, `host`, `method`, or of a header by its name."""

    attribute: str
    operation: str
    """==, startsWith, endsWith, contains, or `in` for a header that is there."""
    value: str
    header: str = ""


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: "Condition"


@dataclass(frozen=True)
class And:
    """All of the parts."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Or:
    """One of the parts."""

    parts: tuple["Condition", ...]


Condition = Constant | Comparison | Not | And | Or

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"[^\"\\]*\"|'[^'\\]*')|(?P<word>[A-Za-z_]\w*)|(?P<mark>&&|\|\||==|!=|[!().\[\]]))"
)
_FUNCTIONS = frozenset({"startsWith", "endsWith", "contains"})
_ATTRIBUTES = frozenset({"path", "host", "method"})


def parse(expression: str) -> Condition:
    """Return the condition an expression states; raises `CelError` where it can't be read."""
    tokens = _Tokens(expression)
    condition = _either(tokens)
    tokens.end()
    return condition


class _Tokens:
    def __init__(self, expression: str) -> None:
        self._rest = list(_split(expression))

    def peek(self) -> tuple[str, str]:
        return self._rest[0] if self._rest else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self._rest = self._rest[1:]
        return token

    def accept(self, mark: str) -> bool:
        if self.peek()[1] == mark and self.peek()[0] != "string":
            self.take()
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.accept(mark):
            raise CelError(f"found {self.peek()[1] or 'its end'!r}, expected {mark!r}")

    def string(self) -> str:
        kind, text = self.take()
        if kind != "string":
            raise CelError(f"found {text or 'its end'!r}, expected a text in quotes")
        return text

    def end(self) -> None:
        if self._rest:
            raise CelError(f"found {self.peek()[1]!r} after its end")


def _split(expression: str) -> Iterator[tuple[str, str]]:
    position, text = 0, expression.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise CelError(f"can't read {text[position : position + 20]!r}")
        kind = str(found.lastgroup)
        word = found.group(kind)
        yield kind, word[1:-1] if kind == "string" else word
        position = found.end()


def _either(tokens: _Tokens) -> Condition:
    parts = [_both(tokens)]
    while tokens.accept("||"):
        parts.append(_both(tokens))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _both(tokens: _Tokens) -> Condition:
    parts = [_unary(tokens)]
    while tokens.accept("&&"):
        parts.append(_unary(tokens))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _unary(tokens: _Tokens) -> Condition:
    if tokens.accept("!"):
        return Not(_unary(tokens))
    if tokens.accept("("):
        inner = _either(tokens)
        tokens.expect(")")
        return inner
    for word, value in (("true", True), ("false", False)):
        if tokens.accept(word):
            return Constant(value)
    return _test(tokens)


def _test(tokens: _Tokens) -> Condition:
    if tokens.peek()[0] == "string":
        header = tokens.string()
        for word in ("in", "request", ".", "headers"):
            tokens.expect(word)
        return Comparison("header", "in", "", header.lower())
    tokens.expect("request")
    tokens.expect(".")
    attribute, header = tokens.take()[1], ""
    if attribute == "headers":
        tokens.expect("[")
        attribute, header = "header", tokens.string().lower()
        tokens.expect("]")
    elif attribute not in _ATTRIBUTES:
        raise CelError(f"request.{attribute} isn't read here")
    if tokens.accept("=="):
        return Comparison(attribute, "==", tokens.string(), header)
    if tokens.accept("!="):
        return Not(Comparison(attribute, "==", tokens.string(), header))
    tokens.expect(".")
    function = tokens.take()[1]
    if function not in _FUNCTIONS:
        raise CelError(f"{function}() isn't read here")
    tokens.expect("(")
    value = tokens.string()
    tokens.expect(")")
    return Comparison(attribute, function, value, header)
