"""An SQLite file of the sandbox: what is committed outlives the process."""

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

_PATIENCE_SECONDS: Final = 30


class Database:
    """The file at `path`, created with its folder when absent.

    Safe for threads, and for several processes on one file.
    """

    def __init__(
        self, path: Path, schema: str = "", *, synchronous: Literal["NORMAL", "FULL"]
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it may hold secrets, and messages of users
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {synchronous}")
            self._connection.executescript(schema)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Yield all or nothing, alone: an error inside leaves the file as it was. Nestable."""
        with self._lock:
            if self._depth:
                yield
                return
            self.rows("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self.rows("COMMIT")
            finally:
                self._depth = 0

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a statement."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def answer(
        self, sql: str, values: Mapping[str, Any]
    ) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Return the columns and the rows of a query with named values."""
        with self._lock:
            found = self._connection.execute(sql, values)
            return [name for name, *_ in found.description], found.fetchall()
