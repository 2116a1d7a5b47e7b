"""What is encrypted with a key of one's own: where the key is named, and who encrypts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from catalog.table import read, rows

ENTRY: Final = "[]"
"""End of a step of a path whose value is a list: each of its entries."""
CONSTANT: Final = "="
"""Begin of a place that is the same for all of a type."""


@dataclass(frozen=True)
class Encrypted:
    """A type that takes a key, in the columns of `encryption.yaml`."""

    keys: tuple[str, ...]
    at: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    source: str = ""
    beside: tuple[str, ...] = ()
    """What else is set where the key is: `path=value`."""
    later: bool = False
    """Whether its agent's right is asked for only when something is written."""


@cache
def encrypted() -> Mapping[str, Encrypted]:
    """Return every type that takes a key, by its token."""
    return rows(Encrypted, read("encryption.yaml"), "types")


@cache
def left_out() -> Mapping[str, Mapping[str, str]]:
    """Return why a property of a type that the platform makes gets no key, by type and path."""
    return cast("Mapping[str, Mapping[str, str]]", read("encryption.yaml")["without"])
