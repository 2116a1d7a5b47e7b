"""Values no config can hold: secrets, keys that are not text, what JSON does not have."""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, cast

from catalog.problems import KeyPath, Problem, shown

_DEEPEST: Final = 32
_LARGEST: Final = 2**53
"""Whole numbers above it change on their way through JSON."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""The last two turn the direction of a text: it then reads otherwise than it is."""


def not_plain(value: object, path: KeyPath = ()) -> Iterator[Problem]:
    """Yield a problem for each such value below `path`."""
    if len(path) > _DEEPEST:
        found = "a value nested too deep, or one that contains itself"
        yield Problem(path[:3], found, "plain values", "write it out")
    elif isinstance(value, Mapping):
        yield from _mapping(cast("Mapping[object, object]", value), path)
    elif isinstance(value, (list, tuple)):
        for index, entry in enumerate(cast("list[object]", value)):
            yield from not_plain(entry, (*path, index))
    elif isinstance(value, str):
        yield from _text(value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(path, shown(value), "a finite number", "change it")
    elif isinstance(value, int | float) and abs(value) > _LARGEST:
        yield Problem(path, shown(value), f"a number up to {_LARGEST}", "change it")
    elif not isinstance(value, int | float | None):
        found = f"a {type(value).__name__}"
        yield Problem(path, found, "text, numbers, true, false, lists, mappings", "change it")


def _mapping(entries: Mapping[object, object], path: KeyPath) -> Iterator[Problem]:
    if list(entries) == ["secure"]:
        yield Problem(
            path,
            "an encrypted value",
            "a plain value",
            "set it without --secret: nothing here is secret, tokens belong in Secret Manager",
        )
        return
    for key, entry in entries.items():
        if isinstance(key, str) and _is_text(key):
            yield from not_plain(entry, (*path, key))
        else:
            found = f"the key {shown(key)}"
            yield Problem(path, found, "keys that are text", "put quotes around it")


def _text(value: str, path: KeyPath) -> Iterator[Problem]:
    if not _is_text(value):
        yield Problem(path, "half a character (a lone surrogate)", "text", "remove it")
    elif odd := _CONTROL.search(value):
        found = f"{shown(value)} with the control character U+{ord(odd[0]):04X}"
        yield Problem(path, found, "text without control characters", "remove it")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
