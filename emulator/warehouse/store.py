"""Warehouse: the rows of a world's BigQuery tables in an SQLite file.

Every table is a view over its rows, named `<dataset>.<table>`, with the columns the world gives it
now: `SELECT * FROM "sentiment_results.results"`.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from emulator.warehouse.columns import Column, columns, fitted
from sandbox.world import World

TABLE: Final = "gcp:bigquery/table:Table"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rows (
    number INTEGER PRIMARY KEY AUTOINCREMENT, table_id TEXT NOT NULL, row TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS rows_by_table ON rows (table_id);
"""


class NoTableError(LookupError):
    """A table that the world doesn't have."""


class Warehouse:
    """Tables by id, `projects/<project>/datasets/<dataset>/tables/<table>`. Safe for threads."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_SCHEMA)
        for table in world.by_type(TABLE):
            if table.inputs.get("schema"):
                self._show(table.id, columns(table.inputs["schema"]))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def columns(self, table_id: str) -> tuple[Column, ...]:
        """Return the columns of a table. Raises NoTableError."""
        table = self._world.get(TABLE, table_id)
        if table is None:
            raise NoTableError(f"there is no table {table_id}")
        return columns(table.inputs.get("schema") or "[]")

    def append(self, table_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep rows, all or none. Raises RowError when one doesn't fit, and NoTableError."""
        wanted = self.columns(table_id)
        kept = [(table_id, json.dumps(fitted(wanted, row))) for row in rows]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT INTO rows (table_id, row) VALUES (?, ?)", kept)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, table_id: str) -> list[dict[str, Any]]:
        """Return all rows of a table, in the order they came."""
        with self._lock:
            found = self._connection.execute(
                "SELECT row FROM rows WHERE table_id = ? ORDER BY number", (table_id,)
            ).fetchall()
        return [json.loads(row) for (row,) in found]

    def _show(self, table_id: str, shape: Sequence[Column]) -> None:
        _, _, _, dataset, _, table = table_id.split("/")
        view = _quoted(f"{dataset}.{table}")
        # Names of columns are letters, digits and underscores: nothing to escape in the path.
        listed = ", ".join(
            f"json_extract(row, '$.{column.name}') AS {_quoted(column.name)}" for column in shape
        )
        self._connection.execute(f"DROP VIEW IF EXISTS {view}")
        self._connection.execute(
            f"CREATE VIEW {view} AS SELECT {listed} FROM rows "  # noqa: S608 -- the world's names, quoted
            f"WHERE table_id = '{table_id.replace(chr(39), chr(39) * 2)}'"
        )


def table_id(name: str) -> str:
    """Return the id of `<project>.<dataset>.<table>`; a colon may stand after the project."""
    project, dataset, table = name.replace(":", ".", 1).rsplit(".", 2)
    return f"projects/{project}/datasets/{dataset}/tables/{table}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
