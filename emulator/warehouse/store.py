"""Warehouse: the rows of a world's BigQuery tables in an SQLite file.

Every table is a view over its rows, named `<dataset>.<table>`, with the columns the world gives it
now: `SELECT * FROM "sentiment_results.results"`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from emulator.warehouse.columns import Column, columns, fitted
from sandbox.database import Database
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
        self._file = Database(path, _SCHEMA, synchronous="FULL")
        for table in world.by_type(TABLE):
            if table.inputs.get("schema"):
                self._show(table.id, columns(table.inputs["schema"]))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

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
        with self._file.transaction():
            for each in kept:
                self._file.rows("INSERT INTO rows (table_id, row) VALUES (?, ?)", *each)

    def rows(self, table_id: str) -> list[dict[str, Any]]:
        """Return all rows of a table, in the order they came."""
        found = self._file.rows("SELECT row FROM rows WHERE table_id = ? ORDER BY number", table_id)
        return [json.loads(row) for (row,) in found]

    def _show(self, table_id: str, shape: Sequence[Column]) -> None:
        _, _, _, dataset, _, table = table_id.split("/")
        view = _quoted(f"{dataset}.{table}")
        # Names of columns are letters, digits and underscores: nothing to escape in the path.
        listed = ", ".join(
            f"json_extract(row, '$.{column.name}') AS {_quoted(column.name)}" for column in shape
        )
        self._file.rows(f"DROP VIEW IF EXISTS {view}")
        self._file.rows(
            f"CREATE VIEW {view} AS SELECT {listed} FROM rows "  # noqa: S608 -- the world's names, quoted
            f"WHERE table_id = '{table_id.replace(chr(39), chr(39) * 2)}'"
        )


def table_id(name: str) -> str:
    """Return the id of `<project>.<dataset>.<table>`; a colon may stand after the project."""
    project, dataset, table = name.replace(":", ".", 1).rsplit(".", 2)
    return f"projects/{project}/datasets/{dataset}/tables/{table}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
