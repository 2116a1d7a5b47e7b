"""A report before it is Markdown or HTML: sections of lines and tables."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows below a header."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A title, lines and a table; the heading says `id` where a link leads to it."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    table: Table | None = None
    folded: bool = False
    """Whether a comment shows only its title at first."""
    loud: frozenset[int] = frozenset()
    """The lines that a reader must not miss."""
