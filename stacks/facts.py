"""Facts of what is there already: what a property must be, as a data source answers it.

What the cloud doesn't tell passes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from catalog.problems import KeyPath, Problem, joined, shown
from config.platform import Platform

UNTOLD: Final = None
UNSET: Final = ""
_FIXED: Final = "nothing changes that: name another, or leave it out for one"


def always(_platform: Platform, _region: str) -> bool:
    """Return true: of what every stack needs."""
    return True


@dataclass(frozen=True)
class Fact:
    """What one property must be."""

    path: str
    """Its place in what the data source answers."""
    allowed: tuple[str | bool, ...]
    for_: str
    """What needs it, as a phrase."""
    flags: str = ""
    """Of the command that updates it, which make it so; empty where nothing does."""
    unset: bool = False
    """Whether it may be left out: the default then passes."""
    needed: Callable[[Platform, str], bool] = always
    """Whether a platform needs it in a region."""


@dataclass(frozen=True)
class There:
    """Something that is there: the key that names it, what it is called, and what updates it."""

    path: KeyPath
    name: str
    command: str
    """Without the flags, such as `gcloud storage buckets update gs://acme`."""

    def refused(self, state: str, allowed: str, flags: str, command: str = "") -> Problem:
        """Return the problem of something in that state."""
        mend = f"`{command or self.command} {flags}`" if flags else _FIXED
        return Problem(self.path, f"{shown(self.name)}, whose {state}", allowed, mend)

    def unmet(self, result: object, fact: Fact) -> Iterator[Problem]:
        """Yield a problem where what the cloud answers isn't what it must be."""
        found = at(result, fact.path)
        if found is UNTOLD or (found == UNSET and fact.unset):
            return
        held: set[object] = set(found) if _is_list(found) else {found}
        if not held & set(fact.allowed):
            is_ = "is not set" if found == UNSET else f"is {words(found)}"
            allowed = " or ".join(words(each) for each in fact.allowed)
            yield self.refused(f"{fact.path} {is_}", f"{allowed}, for {fact.for_}", fact.flags)


def at(result: object, path: str) -> Any:
    """Return what is at a path of an answer, of lists on its way the first entry.

    `UNSET` for what isn't set, `UNTOLD` where the cloud says nothing of the first step.
    """
    first, *rest = path.split(".")
    value: Any = getattr(result, first)
    if value is UNTOLD:
        return UNTOLD
    for step in rest:
        entry = value[0] if _is_list(value) and value else None
        value = getattr(entry, step, None)
    return UNSET if value is None or value == [] else value


def words(value: object) -> str:
    """Return a value as a message has it."""
    if _is_list(value):
        return joined(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
