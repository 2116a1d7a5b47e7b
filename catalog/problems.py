"""What is wrong with given values: where, what was found, what is allowed and what to do."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

_LONGEST_VALUE: Final = 60
_LONGEST_PHRASE: Final = 2000
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_:/-]*")

KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the values down to one."""


@dataclass(frozen=True)
class Problem:
    """One thing to fix. `found`, `allowed` and `remedy` are phrases; `shown` shows a value."""

    path: KeyPath
    found: str
    allowed: str
    remedy: str

    @property
    def reason(self) -> str:
        """The problem without its path."""
        # Keys and values come from a file: no line breaks or control characters of theirs.
        phrases = (f"found {self.found}", f"allowed: {self.allowed}", self.remedy)
        return _printable("; ".join(cut(phrase, _LONGEST_PHRASE) for phrase in phrases))

    def __str__(self) -> str:
        where = f"{shown_path(self.path)}: " if self.path else ""
        return _printable(where) + self.reason


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)


def cut(text: str, longest: int = _LONGEST_VALUE) -> str:
    """Return a text, without its end where it is longer than `longest`."""
    return f"{text[:longest]}..." if len(text) > longest else text


def lookalike(text: str) -> str:
    """Return which character of a text is not ASCII, as a phrase; empty where all are.

    Some look like a letter, others like nothing at all.
    """
    odd = next((each for each in text if not each.isascii()), None)
    if odd is None:
        return ""
    return f" with U+{ord(odd):04X} ({unicodedata.name(odd, 'no name').lower()})"


def below(path: KeyPath, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Return the problems with their paths below `path`."""
    return (replace(each, path=(*path, *each.path)) for each in problems)


def shown(value: object) -> str:
    """Return a value as YAML has it: text in quotes, long ones cut, lists and mappings named."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "PRIVATE KEY-----" in value:
            return "a private key"
        return f"'{cut(value)}'{lookalike(value)}"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, Sequence):
        return "a list" if value else "an empty list"
    return str(value)[:_LONGEST_VALUE]


def shown_path(path: KeyPath) -> str:
    """Return a path as `pulumi config --path` takes it: `models["llama-3.1-8b"].adapters[0]`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{cut(step)}" if parts else cut(step))
        else:
            parts.append(f'["{cut(step)}"]')
    return "".join(parts)


def joined(names: Iterable[str]) -> str:
    """Return names as a phrase: sorted, comma-separated."""
    return ", ".join(map(cut, sorted(names))) or "none yet"


def did_you_mean(found: object, names: Iterable[str], otherwise: str) -> str:
    """Return `did you mean ...?` when a name is close to the one found, else `otherwise`."""
    folded = {name[:_LONGEST_VALUE].casefold(): name for name in names}
    sought = str(found)[:_LONGEST_VALUE].casefold()
    close = difflib.get_close_matches(sought, list(folded), n=1, cutoff=0.6)
    return f"did you mean '{cut(folded[close[0]])}'?" if close else otherwise


def in_order(**bounds: float) -> Iterator[Problem]:
    """Yield a problem where the first of two bounds, given by their keys, is above the second."""
    (low, least), (high, most) = bounds.items()
    if least > most:
        yield Problem((low,), shown(least), f"at most {high}, {most}", f"lower it or raise {high}")
