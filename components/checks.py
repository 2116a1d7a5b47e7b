"""Checks of plain arguments that more than one group of components needs."""

from components.validation import Problems


def check_between(
    problems: Problems, property_path: str, value: float, low: float, high: float, unit: str = ""
) -> None:
    """Note a number outside `low` to `high`, both allowed."""
    if not low <= value <= high:
        allowed = f"{low} to {high} {unit}".rstrip()
        problems.add(property_path, f"found {value}; allowed: {allowed}")
