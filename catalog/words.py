"""Counts in sentences."""


def plural(count: float | str, one: str, several: str = "") -> str:
    """Return a count with its noun: `1 node`, `2 nodes`. Text is a number that is shown already."""
    return f"{count} {one if str(count) == '1' else several or f'{one}s'}"
