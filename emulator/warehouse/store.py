"""Warehouse: the rows of a world's BigQuery tables in an SQLite file.

Every table is a view over its rows, named `<dataset>.<table>`, with the columns the world gives it
now: `SELECT * FROM "sentiment_results.results"`. So are views and materialized views, always fresh,
as far as SQLite reads their GoogleSQL.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from emulator.warehouse.columns import Column, columns, fitted
from sandbox.database import Database
from sandbox.world import CloudResource, World

TABLE: Final = "gcp:bigquery/table:Table"
_FULL_NAME: Final = re.compile(r"`[^`.]+\.([^`.]+\.[^`.]+)`")
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
            if query := query_of(table):
                self._view(table.id, query)
            elif table.inputs.get("schema"):
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

    def remove(self, table_id: str) -> None:
        """Remove all rows of a table."""
        self._file.rows("DELETE FROM rows WHERE table_id = ?", table_id)

    def answer(self, table_id: str) -> list[dict[str, Any]]:
        """Return the rows of a view. Raises sqlite3.Error where SQLite can't read its query."""
        view = _name(table_id)
        named = self._file.rows("SELECT name FROM pragma_table_info(?)", view)
        found = self._file.rows(f"SELECT * FROM {_quoted(view)}")  # noqa: S608 -- quoted
        return [dict(zip((name for (name,) in named), row, strict=True)) for row in found]

    def query(
        self, query: str, given: Mapping[str, str]
    ) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Return the columns and the rows of a query of full names, with its parameters by name.

        Raises sqlite3.Error where SQLite can't read it.
        """
        return self._file.answer(_here(query), given)

    def _view(self, table_id: str, query: str) -> None:
        view = _quoted(_name(table_id))
        here = _here(query)
        self._file.rows(f"DROP VIEW IF EXISTS {view}")
        # Read when it is asked: what SQLite can't read does not keep others from it.
        with suppress(sqlite3.Error):
            self._file.rows(f"CREATE VIEW {view} AS {here}")

    def _show(self, table_id: str, shape: Sequence[Column]) -> None:
        view = _quoted(_name(table_id))
        # Names of columns are letters, digits and underscores: nothing to escape in the path.
        listed = ", ".join(
            f"json_extract(row, '$.{column.name}') AS {_quoted(column.name)}" for column in shape
        )
        self._file.rows(f"DROP VIEW IF EXISTS {view}")
        self._file.rows(
            f"CREATE VIEW {view} AS SELECT {listed} FROM rows "  # noqa: S608 -- the world's names, quoted
            f"WHERE table_id = '{table_id.replace(chr(39), chr(39) * 2)}'"
        )


def _here(query: str) -> str:
    """Return a query with the tables' names in this file."""
    return _FULL_NAME.sub(lambda found: _quoted(found[1]), query)


def query_of(table: CloudResource) -> str:
    """Return the query of a view; empty for a table."""
    kinds: list[Mapping[str, Any] | None] = [
        table.inputs.get(kind) for kind in ("view", "materializedView")
    ]
    return "".join(str(each["query"]) for each in kinds if each)


def _name(table_id: str) -> str:
    _, _, _, dataset, _, table = table_id.split("/")
    return f"{dataset}.{table}"


def table_id(name: str) -> str:
    """Return the id of `<project>.<dataset>.<table>`; a colon may stand after the project."""
    project, dataset, table = name.replace(":", ".", 1).rsplit(".", 2)
    return f"projects/{project}/datasets/{dataset}/tables/{table}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
