"""Conditions in the Common Expression Language, as far as rules judge them.

A condition is read into what holds when it holds: alternatives (`||`), each a list of statements
(`&&`). Only what stands there by itself counts: a text, a call or a list may hold anything.

https://cloud.google.com/iam/docs/conditions-overview
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''
      |\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))
    |(?P<other>[A-Za-z_]\w*|[0-9][\w.]*|&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_OPEN: Final = frozenset("([{")
_CLOSE: Final = frozenset(")]}")
_DEPTH: Final = 50
Tokens = tuple[str, ...]
Alternatives = tuple[tuple[Tokens, ...], ...]
_UNREAD: Final[Alternatives] = ((),)


def alternatives(expression: str) -> Alternatives:
    """Return the alternatives of a condition; nothing is claimed of one that cannot be read."""
    tokens = _tokens(expression)
    return _or(tokens, 0) if tokens else _UNREAD


def each_way(expression: str | Tokens, says: Callable[[Tokens], bool]) -> bool:
    """Return whether a condition only holds where a statement of which `says` is true does."""
    tokens = _bare(_tokens(expression) if isinstance(expression, str) else expression)
    if len(_parts(tokens, "?")) > 1:
        return False
    choices = _parts(tokens, "||")
    if len(choices) > 1:
        return all(each_way(part, says) for part in choices)
    statements = _parts(tokens, "&&")
    if len(statements) > 1:
        return any(each_way(part, says) for part in statements)
    return says(tokens)


def literal(token: str) -> str | None:
    """Return the text of a plain string literal, None for anything else."""
    plain = len(token) > 1 and token[0] in "\"'" and token[0] == token[-1]
    return token[1:-1] if plain and "\\" not in token and token[:3] not in ('"""', "'''") else None


def end_of(expression: str) -> datetime | None:
    """Return when a condition stops to hold, None if it need not."""
    ends: list[datetime] = []
    for statements in alternatives(expression):
        found = [end for each in statements if (end := _end(each)) is not None]
        if not found:
            return None
        ends.append(min(found))
    return max(ends)


def _tokens(expression: str) -> Tokens:
    found: list[str] = []
    place = 0
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            return ()
        if match.lastgroup != "space":
            found.append(match[0])
        place = match.end()
    return tuple(found)


def _or(tokens: Tokens, depth: int) -> Alternatives:
    tokens = _bare(tokens)
    # A choice may come to anything, and binds less than both.
    if depth > _DEPTH or len(_parts(tokens, "?")) > 1:
        return _UNREAD
    choices = _parts(tokens, "||")
    if len(choices) > 1:
        return tuple(each for part in choices for each in _or(part, depth + 1))
    statements = _parts(tokens, "&&")
    if len(statements) == 1:
        return ((tokens,),)
    kept: list[Tokens] = []
    for part in statements:
        inner = _or(part, depth + 1)
        # Alternatives within a statement tell nothing that holds in each of them.
        kept += inner[0] if len(inner) == 1 else ()
    return (tuple(kept),)


def _parts(tokens: Tokens, operator: str) -> list[Tokens]:
    """Return the tokens between an operator that stands outside of brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in _OPEN) - (token in _CLOSE)
        if token == operator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts]


def _bare(tokens: Tokens) -> Tokens:
    """Return the tokens without the brackets that hold all of them."""
    while len(tokens) > 2 and tokens[0] == "(" and tokens[-1] == ")" and _matching(tokens):
        tokens = tokens[1:-1]
    return tokens


def _matching(tokens: Sequence[str]) -> bool:
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token in _OPEN) - (token in _CLOSE)
        if depth == 0:
            return index == len(tokens) - 1
    return False


_NOW: Final = ("request", ".", "time")


def _end(statement: Tokens) -> datetime | None:
    """Return the end that `request.time < timestamp("...")` sets, written either way round."""
    if statement[:3] == _NOW and statement[3:4] in (("<",), ("<=",)):
        return _timestamp(statement[4:])
    if statement[-3:] == _NOW and statement[-4:-3] in ((">",), (">=",)):
        return _timestamp(statement[:-4])
    return None


def _timestamp(tokens: Tokens) -> datetime | None:
    if len(tokens) != 4 or tokens[:2] != ("timestamp", "(") or tokens[3] != ")":
        return None
    text = literal(tokens[2])
    try:
        end = datetime.fromisoformat(text) if text and "T" in text else None
    except ValueError:
        return None
    return end.replace(tzinfo=end.tzinfo or UTC) if end else None
