"""Durations and times as Google Cloud writes them, such as 300s."""

import datetime as dt
import re
from typing import Final

from resources.properties import UNKNOWN, Absence, text

_DURATION: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|[smhd])")
# Artifact Registry takes days too: https://cloud.google.com/artifact-registry/docs/repositories/cleanup-policy
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(value: object, *path: str | int) -> float | Absence:
    """Return the duration at `path` in seconds; what is not a duration counts as unknown."""
    found = text(value, *path)
    if isinstance(found, Absence):
        return found
    match = _DURATION.fullmatch(found)
    return float(match[1]) * _SECONDS[match[2]] if match else UNKNOWN


def moment(value: object) -> dt.datetime | None:
    """Return a time that is known, be it in milliseconds or as RFC 3339."""
    try:
        if isinstance(value, str) and not value.isdigit():
            found = dt.datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return dt.datetime.fromtimestamp(float(value) / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
