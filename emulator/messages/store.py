"""The file that keeps messages and how far each subscription is with them.

A message has a row for every subscription it is for. A delivery is `waiting` until it is due,
`leased` while somebody works on it, and ends as `acked`, `dead` (sent on to the dead-letter topic)
or `expired`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.database import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL,
    attributes TEXT NOT NULL, ordering_key TEXT NOT NULL, published REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    subscription TEXT NOT NULL, message INTEGER NOT NULL REFERENCES messages (id),
    ordering_key TEXT NOT NULL, state TEXT NOT NULL, due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, lease INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (subscription, message)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (state, subscription, due);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value REAL NOT NULL);
"""


@dataclass(frozen=True)
class Message:
    """A published message."""

    id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    published: float
    """Seconds since 1970."""


class Store(Database):
    """The file. A transaction is on disk when it ends: a killed process loses none of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, synchronous="FULL")

    def add(
        self, topic: str, data: bytes, attributes: Mapping[str, str], key: str, now: float
    ) -> Message:
        """Keep a message."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO messages (topic, data, attributes, ordering_key, published) "
                "VALUES (?, ?, ?, ?, ?)",
                (topic, data, json.dumps(dict(attributes)), key, now),
            )
        return Message(str(cursor.lastrowid), topic, data, dict(attributes), key, now)

    def message(self, id_: str) -> Message:
        """Return the message of that id."""
        (row,) = self.rows(
            "SELECT topic, data, attributes, ordering_key, published FROM messages WHERE id = ?",
            int(id_),
        )
        return Message(id_, row[0], bytes(row[1]), json.loads(row[2]), row[3], row[4])

    def fact(self, name: str) -> float:
        """Return a number that outlives the process; 0 before it is set."""
        found = self.rows("SELECT value FROM facts WHERE name = ?", name)
        return float(found[0][0]) if found else 0.0

    def set_fact(self, name: str, value: float) -> None:
        """Keep a number."""
        self.rows("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)
