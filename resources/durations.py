"""Durations as Google Cloud writes them, such as 300s."""

import re
from typing import Final

from resources.properties import UNKNOWN, Absence, text

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)s")


def seconds(value: object, *path: str | int) -> float | Absence:
    """Return the duration at `path` in seconds; what is not a duration counts as unknown."""
    found = text(value, *path)
    if isinstance(found, Absence):
        return found
    match = _DURATION.fullmatch(found)
    return float(match[1]) if match else UNKNOWN
