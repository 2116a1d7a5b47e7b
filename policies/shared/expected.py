"""What properties must be, as data: a path and the values that pass."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from resources.properties import MISSING, UNKNOWN, Absence, get


@dataclass(frozen=True)
class Expected:
    """One property and what it must be.

    Values compare with their type, so that 1 does not pass for true. `unset` tells whether the
    property may be left out (the service's default is then a value that passes), `wired` whether
    it may be unknown during a preview.
    """

    path: str
    """Property names, with dots."""
    allowed: tuple[str | bool, ...]
    unset: bool = False
    wired: bool = False


def unmet(props: object, expected: Iterable[Expected]) -> Iterator[str]:
    """Yield a finding for each property that is not what it must be; its value is not shown."""
    for each in expected:
        found = get(props, *each.path.split("."))
        if (found is MISSING and each.unset) or (found is UNKNOWN and each.wired):
            continue
        if any(type(found) is type(value) and found == value for value in each.allowed):
            continue
        allowed = " or ".join(_word(value) for value in each.allowed)
        state = found.value if isinstance(found, Absence) else "another value"
        yield f"{each.path} must be {allowed}, it is {state}"


def _word(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
