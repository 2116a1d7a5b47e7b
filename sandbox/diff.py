"""Compares the inputs of two deployments property by property."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sandbox.values import INTERNAL, Secret, Unknown, Value, Values, is_list, is_map

_INDEX: Final = re.compile(r"\[\d+\]")
Normal = Callable[[Value], Value]


@dataclass(frozen=True)
class Change:
    """One changed property; `path` such as `nodeConfig.disks[0].sizeGb`."""

    path: str
    kind: str
    """`add`, `delete` or `update`."""

    @property
    def pattern(self) -> str:
        """The path without list indexes, as the tables write it."""
        return _INDEX.sub("", self.path)


def changes(old: Values, new: Values, normal: Normal) -> list[Change]:
    """Return every difference; `normal` maps two spellings of one value to the same."""
    return list(_maps("", old, new, normal))


def _maps(path: str, old: Values, new: Values, normal: Normal) -> Iterator[Change]:
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in INTERNAL:
            step = _step(path, name)
            yield from _values(step, old.get(name), new.get(name), normal)


def _step(path: str, name: str) -> str:
    if "." in name or "[" in name:
        return f'{path}["{name}"]'
    return f"{path}.{name}" if path else name


def _values(path: str, old: Value, new: Value, normal: Normal) -> Iterator[Change]:
    old = old.value if isinstance(old, Secret) else old
    new = new.value if isinstance(new, Secret) else new
    if old is None and new is None:
        return
    if old is None:
        yield Change(path, "add")
    elif new is None:
        yield Change(path, "delete")
    elif isinstance(old, Unknown) or isinstance(new, Unknown):
        yield Change(path, "update")
    elif is_map(old) and is_map(new):
        yield from _maps(path, old, new, normal)
    elif is_list(old) and is_list(new):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _values(f"{path}[{index}]", before, after, normal)
    elif normal(old) != normal(new):
        yield Change(path, "update")


def matches(pattern: str, rules: Iterable[str]) -> bool:
    """Return whether a path is at or below one of the rules (`nodeConfig.spot`, `a.*.b`)."""
    parts = pattern.split(".")
    for rule in rules:
        wanted = rule.split(".")
        if len(wanted) <= len(parts) and all(
            want in {"*", part} for want, part in zip(wanted, parts, strict=False)
        ):
            return True
    return False
