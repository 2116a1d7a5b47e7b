"""Read resource properties without tripping over values that are unknown during a preview.

A policy sees properties through proxies that raise `UnknownValueError` when an unknown value is
touched (`pulumi_policy.proxy`). An error that escapes a rule turns even a mandatory policy into an
advisory remark, so every rule reads through this module.
"""

import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeGuard, TypeVar

from pulumi_policy import deserialize, proxy

from catalog.words import plural


class Absence(Enum):
    """Why there is no value."""

    UNKNOWN = "not known during preview"
    MISSING = "not set"


UNKNOWN: Final = Absence.UNKNOWN
MISSING: Final = Absence.MISSING

Props = Mapping[str, object]
Unknown = Literal[Absence.UNKNOWN]
Found = TypeVar("Found")

_DEPTH: Final = 13

_SENTINELS = frozenset(
    {
        proxy.UNKNOWN_BOOLEAN_VALUE,
        proxy.UNKNOWN_NUMBER_VALUE,
        proxy.UNKNOWN_STRING_VALUE,
        proxy.UNKNOWN_ARRAY_VALUE,
        proxy.UNKNOWN_ASSET_VALUE,
        proxy.UNKNOWN_ARCHIVE_VALUE,
        proxy.UNKNOWN_OBJECT_VALUE,
    }
)


EACH: Final = "*"
"""The step of a path that leads to every element of a list or a map."""
OPAQUE: Final = object()
"""What no rule looks into: an asset or an archive."""
SIGNATURE: Final = deserialize.SPECIAL_SIG_KEY
"""The key that marks an object as something else than its properties."""
SECRET_SIGNATURE: Final = deserialize.SPECIAL_SECRET_SIG


class UnreadableError(ValueError):
    """A property that is known and is not what the cloud takes. The text names the property."""

    def __init__(self, prop: str) -> None:
        super().__init__(f"its {prop} cannot be read, so it cannot be checked")


# Only words of these closed vocabularies may appear in a message. A policy receives secrets
# decrypted and unmarked, so any other text might be one.
_SHOWABLE = re.compile(
    r"all(Authenticated)?Users"
    r"|OWNER|WRITER|READER|project(Owner|Editor|Viewer):([a-z0-9.:-]{1,64})?"
    r"|((projects|organizations)/[a-z0-9-]{1,63}/)?roles/[A-Za-z][A-Za-z.]{1,60}"
    r"|(user|group|serviceAccount):[\w.+-]{1,64}@[a-z0-9.-]{1,190}"
    r"|domain:[a-z0-9.-]{1,190}"
    r"|principal://iam\.googleapis\.com/projects/\d{1,20}/locations/global/workloadIdentityPools"
    r"/[a-z0-9-]{1,63}\.svc\.id\.goog/subject/ns/[a-z0-9-]{1,63}/sa/[a-z0-9-]{1,63}"
    r"|serviceAccount:[a-z0-9-]{1,63}\.svc\.id\.goog(\[[a-z0-9-]{1,63}/[a-z0-9-]{1,63}\])?"
    r"|(a2|a3|a4|a4x|c3|c4|ct5lp|ct5p|ct6e|e2|g2|g4|n1|n2|n2d|n4)-[a-z]{2,10}-[0-9]{1,3}[gt]?"
    r"|nvidia-[a-z0-9-]{1,30}|tpu-v[a-z0-9-]{1,30}|tpu7x"
)


class _Witness(threading.local):
    """Whether the rule that runs on this thread met something unknown."""

    met_unknown: bool = False


_witness = _Witness()


def forget_unknowns() -> None:
    """Start to watch for unknown values on this thread."""
    _witness.met_unknown = False


def note_unknown() -> None:
    """Say that a rule met something it cannot judge, such as a role that no table knows."""
    _witness.met_unknown = True


def met_unknowns() -> bool:
    """Return whether anything read on this thread since `forget_unknowns` was unknown."""
    return _witness.met_unknown


def is_unknown(value: object) -> bool:
    """Return whether the value is one of the engine's signs of an unknown value."""
    return isinstance(value, str) and value in _SENTINELS


def is_mapping(value: object) -> TypeGuard[Props]:
    """Return whether the value is an object with properties."""
    # A dict is what it nearly always is, and asking for that is ten times quicker.
    return isinstance(value, dict) or isinstance(value, Mapping)  # noqa: SIM101


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Return whether the value is a list."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def get(value: object, *path: str | int) -> object:
    """Return the value at `path`, `UNKNOWN` if any step of it is unknown, `MISSING` if unset or
    null.

    What is itself absent stays so: a property of an unknown element of a list is unknown.
    """
    if isinstance(value, Absence):
        return value
    for step in path:
        value = _step(value, step)
        if isinstance(value, Absence):
            return value
    return _absence_of(value)


def _step(value: object, step: str | int) -> object:
    try:
        if isinstance(step, int):
            return _absence_of(value[step]) if is_sequence(value) else MISSING
        return _absence_of(value[step]) if is_mapping(value) else MISSING
    except proxy.UnknownValueError:
        return _unknown()
    except (KeyError, IndexError):
        return MISSING


def _absence_of(value: object) -> object:
    if value is None:
        return MISSING
    return _unknown() if isinstance(value, str) and value in _SENTINELS else value


def _unknown() -> Unknown:
    _witness.met_unknown = True
    return UNKNOWN


def entries(value: object, *path: str | int) -> tuple[object, ...] | Absence:
    """Return the elements of the list at `path`; an element may itself be `UNKNOWN` or
    `MISSING`."""
    found = get(value, *path)
    if isinstance(found, Absence):
        return found
    if not is_sequence(found):
        return UNKNOWN
    return tuple(_step(found, index) for index in range(len(found)))


def all_at(value: object, path: Sequence[str]) -> Iterator[object]:
    """Yield every value at a path that may lead through lists and maps, by `*`."""
    if EACH not in path:
        yield get(value, *path)
        return
    cut = path.index(EACH)
    within = get(value, *path[:cut])
    mapped = is_mapping(within)
    found = tuple(_step(within, name) for name in within) if mapped else entries(within)
    if found is UNKNOWN:
        yield UNKNOWN
    for each in found if isinstance(found, tuple) else ():
        yield from all_at(each, path[cut + 1 :])


def elements(value: object, *path: str | int) -> tuple[object, ...]:
    """Return the same; nothing where no list is known."""
    found = entries(value, *path)
    return found if isinstance(found, tuple) else ()


def search(
    value: object,
    visit: Callable[[str, object, Props], Iterable[Found] | None],
    depth: int = _DEPTH,
) -> Iterator[Found]:
    """Yield what `visit` finds among the properties of a value and of all that is below it.

    `visit` gets the name of a property, its value, and what has it. Where it returns None, the
    search goes on below the value, down to a depth: no object of an API is deeper.
    """
    if not depth:
        return
    if is_mapping(value):
        for name in list(value):
            inner = get(value, name)
            found = visit(name, inner, value)
            yield from search(inner, visit, depth - 1) if found is None else found
    elif is_sequence(value):
        for each in elements(value):
            yield from search(each, visit, depth - 1)


def text(value: object, *path: str | int) -> str | Absence:
    """Return the string at `path`; anything else that is there counts as unknown."""
    found = get(value, *path)
    return found if isinstance(found, str | Absence) else UNKNOWN


def number(value: object, *path: str | int) -> float | Absence:
    """Return the number at `path`, zero or more; anything else that is there counts as unknown."""
    found = get(value, *path)
    if isinstance(found, Absence):
        return found
    if isinstance(found, str) and re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", found):
        return float(found)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return UNKNOWN
    return float(found) if math.isfinite(found) and found >= 0 else UNKNOWN


def flag(value: object, *path: str | int) -> bool | Absence:
    """Return the boolean at `path`; anything else that is there counts as unknown."""
    found = get(value, *path)
    return found if isinstance(found, bool | Absence) else UNKNOWN


def show(value: object, noun: str = "") -> str:
    """Return the value as a message may show it: numbers and well-known names, never other text.

    A number comes with its noun, if one is given in the singular.
    """
    if isinstance(value, Absence):
        return value.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
        return plural(number, noun) if noun else number
    if isinstance(value, str) and _SHOWABLE.fullmatch(value):
        return value
    return "(value not shown)"
