"""Where results go."""

from collections.abc import Mapping
from typing import Protocol

Row = Mapping[str, str | int]


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
