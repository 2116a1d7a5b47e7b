"""Read properties of which some are not known yet, as in a preview."""

import math
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, Literal, TypeGuard


class _Unknown(Enum):
    UNKNOWN = "not known yet"


UNKNOWN: Final = _Unknown.UNKNOWN
Unknown = Literal[_Unknown.UNKNOWN]
Text = str | Unknown | None
"""A text, one that is not known yet, or none."""
Labels = Mapping[str, Text] | Unknown
# Python reads no number of more than 4300 digits.
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def get(value: object, *path: str | int) -> object:
    """Give what stands at `path`: None where nothing does, `UNKNOWN` below what isn't known."""
    for step in path:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(step, int):
            value = (
                value[step] if _is_sequence(value) and -len(value) <= step < len(value) else None
            )
        else:
            value = value.get(step) if _is_mapping(value) else None
    return value


def text(value: object, *path: str | int) -> Text:
    """Give the text at `path`; numbers count as their digits, anything else as none."""
    found = get(value, *path)
    if found is UNKNOWN or isinstance(found, str):
        return found
    if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
        return f"{found:g}" if abs(found) < 1e6 else str(int(found))
    return None


def number(value: object, *path: str | int) -> int | Unknown | None:
    """Give the whole number at `path`."""
    found = get(value, *path)
    if found is UNKNOWN:
        return UNKNOWN
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        return int(found)
    if isinstance(found, int | float) and not isinstance(found, bool) and found == found // 1:
        return int(found)
    return None


def is_true(value: object, *path: str | int) -> bool:
    """Whether the flag at `path` is set, or may be."""
    found = get(value, *path)
    return found is True or found is UNKNOWN


def items(value: object, *path: str | int) -> tuple[object, ...]:
    """Give the elements of the list at `path`; a list that isn't known is one unknown element."""
    found = get(value, *path)
    if found is UNKNOWN:
        return (UNKNOWN,)
    return tuple(found) if _is_sequence(found) else ()


def texts(value: object, *path: str | int) -> tuple[str | Unknown, ...]:
    """Give the texts in the list at `path`."""
    found = (text(item) for item in items(value, *path))
    return tuple(item for item in found if item is not None)


def labels(value: object, *path: str | int) -> Labels:
    """Give the texts by key at `path`."""
    found = get(value, *path)
    if found is UNKNOWN:
        return UNKNOWN
    if not _is_mapping(found):
        return {}
    return {key: text(found, key) for key in found}


def may_equal(one: object, other: object) -> bool:
    """Whether two values are equal, or may turn out to be."""
    return one is UNKNOWN or other is UNKNOWN or one == other


def selects(selector: Labels, carried: Labels) -> bool:
    """Whether a selector takes an object with these labels, or may. An empty one takes none."""
    if selector is UNKNOWN or carried is UNKNOWN:
        return True
    return bool(selector) and all(
        may_equal(carried.get(key), wanted) for key, wanted in selector.items()
    )
