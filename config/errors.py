"""What is wrong with a config: every problem at once, one line each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_LONGEST_VALUE: Final = 60
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_:/-]*")


KeyPath = tuple[str | int, ...]
"""Keys and list positions from the top of the config down to a value."""


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where, what stands there, what may, what to do.

    `found`, `allowed` and `remedy` are phrases. Values are shown with `shown`.
    """

    path: KeyPath
    found: str
    allowed: str
    remedy: str

    def __str__(self) -> str:
        where = f"{shown_path(self.path)}: " if self.path else ""
        line = f"{where}found {self.found}; allowed: {self.allowed}; {self.remedy}"
        # Keys and values come from a file: no line breaks or control characters of theirs.
        return "".join(each if each.isprintable() else " " for each in line)


class ConfigError(ValueError):
    """A config that cannot be used. Its text is the whole message, one line for each problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def shown(value: object) -> str:
    """A value as YAML has it: text in quotes, long ones cut; lists, mappings, keys only named."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "PRIVATE KEY-----" in value:
            return "a private key"
        return f"'{value[:_LONGEST_VALUE]}{'...' if len(value) > _LONGEST_VALUE else ''}'"
    if isinstance(value, Mapping):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, Sequence):
        return "a list" if value else "an empty list"
    return str(value)[:_LONGEST_VALUE]


def shown_path(path: KeyPath) -> str:
    """A path as `pulumi config --path` takes it: `models["llama-3.1-8b"].replica_sets[0].gpus`."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f'["{step}"]')
    return "".join(parts)


def listed(names: Iterable[str]) -> str:
    """Names as a phrase: sorted, comma-separated."""
    return ", ".join(sorted(names)) or "none yet"


def did_you_mean(found: object, names: Iterable[str], otherwise: str) -> str:
    """`did you mean ...?` when a name is close to the one found, else `otherwise`."""
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(found).casefold(), list(folded), n=1, cutoff=0.6)
    return f"did you mean '{folded[close[0]]}'?" if close else otherwise
