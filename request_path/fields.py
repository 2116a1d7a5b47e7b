"""Read fields of objects out of properties; a field that is not set is None."""

import math
import re
from collections.abc import Iterable
from typing import Final

from resources.properties import MISSING, UNKNOWN, Absence, Unknown, entries, get

Text = str | Unknown | None
"""A text, one that is not known yet, or none."""
# Python reads no number of more than 4300 digits.
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


def text(value: object, *path: str | int) -> Text:
    """Return the text at `path`; numbers count as their digits, anything else as none."""
    found = get(value, *path)
    if found is UNKNOWN or isinstance(found, str):
        return found
    if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
        return f"{found:g}" if abs(found) < 1e6 else str(int(found))
    return None


def number(value: object, *path: str | int) -> int | Unknown | None:
    """Return the whole number at `path`."""
    found = get(value, *path)
    if found is UNKNOWN:
        return UNKNOWN
    if isinstance(found, str) and _DIGITS.fullmatch(found):
        return int(found)
    if isinstance(found, int | float) and not isinstance(found, bool) and found == found // 1:
        return int(found)
    return None


def is_set(value: object, *path: str | int) -> bool:
    """Return whether anything stands at `path`, or may."""
    return get(value, *path) is not MISSING


def is_true(value: object, *path: str | int) -> bool:
    """Return whether the flag at `path` is set, or may be."""
    found = get(value, *path)
    return found is True or found is UNKNOWN


def items(value: object, *path: str | int) -> tuple[object, ...]:
    """Return the elements of the list at `path`; a list that isn't known is one unknown element."""
    found = entries(value, *path)
    if isinstance(found, Absence):
        return (UNKNOWN,) if get(value, *path) is UNKNOWN else ()
    return found


def texts(elements: Iterable[object], *path: str | int) -> tuple[str | Unknown, ...]:
    """Return the texts at `path` of the elements that have one."""
    found: list[Text] = [text(each, *path) for each in elements]
    return tuple(each for each in found if each is not None)


def numbers(elements: Iterable[object], *path: str | int) -> tuple[int | Unknown, ...]:
    """Return the whole numbers at `path` of the elements that have one."""
    found: list[int | Unknown | None] = [number(each, *path) for each in elements]
    return tuple(each for each in found if each is not None)
