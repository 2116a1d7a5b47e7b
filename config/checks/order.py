"""Least and most: in that order."""

from collections.abc import Iterator

from config.errors import KeyPath, Problem, shown


def check_order(path: KeyPath, **bounds: float) -> Iterator[Problem]:
    """Check that the first of two bounds, given by their keys, is at most the second."""
    (low, least), (high, most) = bounds.items()
    if least > most:
        yield Problem(
            (*path, low), shown(least), f"at most {high}, {most}", f"lower it or raise {high}"
        )
