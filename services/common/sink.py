"""Where rows go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Row = Mapping[str, str | int | None]


@dataclass(frozen=True)
class RowShape:
    """The columns a service writes; those that are no integers are texts."""

    columns: tuple[str, ...]
    required: tuple[str, ...]
    integers: tuple[str, ...]
    """A TIMESTAMP is microseconds."""


class SinkError(Exception):
    """A row was not kept, as far as is known: it must be written again."""


class Sink(Protocol):
    """Keeps rows. A row is kept for good when `write` returns."""

    @property
    def healthy(self) -> bool:
        """Whether the last row was kept; true before the first."""
        ...

    async def start(self) -> None:
        """Get ready without waiting for the other side."""
        ...

    async def write(self, row: Row) -> None:
        """Keep a row. Raises `SinkError`."""
        ...

    async def close(self) -> None:
        """Let go of connections; what `write` returned for is kept already."""
        ...
