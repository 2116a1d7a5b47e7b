"""Checks of plain arguments that more than one group of components needs."""

import re
from collections.abc import Mapping

from components.validation import Problems

_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_LABELS = 64


def check_between(
    problems: Problems, property_path: str, value: float, low: float, high: float, unit: str = ""
) -> None:
    """Note a number outside `low` to `high`, both allowed."""
    if not low <= value <= high:
        allowed = f"{low} to {high} {unit}".rstrip()
        problems.add(property_path, f"found {value}; allowed: {allowed}")


def check_labels(problems: Problems, property_path: str, labels: Mapping[str, str]) -> None:
    """Note labels Google Cloud refuses.

    https://cloud.google.com/resource-manager/docs/labels-overview#requirements
    """
    if len(labels) > _MOST_LABELS:
        problems.add(property_path, f"found {len(labels)} labels; allowed: up to {_MOST_LABELS}")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            problems.add(
                f"{property_path}.{key}",
                f"found key {key!r}; allowed: 1 to 63 lowercase letters, digits, underscores or "
                "hyphens, a letter first",
            )
        if not _LABEL_VALUE.fullmatch(value):
            problems.add(
                f"{property_path}.{key}",
                f"found {value!r}; allowed: up to 63 lowercase letters, digits, underscores or "
                "hyphens",
            )
