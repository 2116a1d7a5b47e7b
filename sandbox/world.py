"""The sandbox cloud's memory: what exists, in one SQLite file that survives runs and crashes.

Rows are keyed by type token, id and scope (the cluster of a Kubernetes object, empty for Google
Cloud). Values are plain: the cloud knows the plaintext, so the file is as secret as a real project.
"""

import json
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sandbox.database import Database
from sandbox.values import Values, storable

_VERSION: Final = 1
_PASSING: Final = re.compile(r"locked|busy|full|readonly|disk I/O", re.IGNORECASE)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS resources (
    created INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL, id TEXT NOT NULL, scope TEXT NOT NULL, project TEXT NOT NULL,
    owner TEXT NOT NULL, urn TEXT NOT NULL, inputs TEXT NOT NULL, outputs TEXT NOT NULL,
    UNIQUE (type, id, scope)
);
CREATE INDEX IF NOT EXISTS resources_by_id ON resources (id);
CREATE INDEX IF NOT EXISTS resources_by_urn ON resources (urn);
CREATE TABLE IF NOT EXISTS projects (id TEXT PRIMARY KEY, number TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS enabled_apis (
    project TEXT NOT NULL, service TEXT NOT NULL, PRIMARY KEY (project, service)
);
CREATE TABLE IF NOT EXISTS assumptions (
    subject TEXT NOT NULL, wanted_by TEXT NOT NULL, PRIMARY KEY (subject, wanted_by)
);
CREATE TABLE IF NOT EXISTS struck (
    fault TEXT NOT NULL, urn TEXT NOT NULL,
    calls INTEGER NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY (fault, urn)
);
CREATE TABLE IF NOT EXISTS contents (holder TEXT NOT NULL, name TEXT PRIMARY KEY);
"""
_COLUMNS: Final = "type, id, scope, project, owner, urn, inputs, outputs, created"


EXISTING: Final = "existing"
"""Owner of what was there before anything was made."""
LEFT: Final = "left"
"""Owner of what a stack let go of and the cloud keeps."""
Key = tuple[str, str, str]
"""Type token, id and scope."""


class WorldError(Exception):
    """The world's file cannot be used; `str()` names the file and what to do."""


@dataclass(frozen=True)
class CloudResource:
    """One thing that exists. `owner` is `pulumi`, `EXISTING`, `LEFT` or the controller that made
    it, `urn` the Pulumi resource it stands for."""

    type: str
    id: str
    scope: str = ""
    project: str = ""
    owner: str = "pulumi"
    urn: str = ""
    inputs: Values = field(default_factory=dict[str, Any])
    outputs: Values = field(default_factory=dict[str, Any])
    created: int = 0

    @property
    def key(self) -> "Key":
        """What it is known by in the world."""
        return self.type, self.id, self.scope


@dataclass(frozen=True)
class Assumption:
    """Something outside the world that a resource relies on (another project, a group...)."""

    subject: str
    wanted_by: str


class World(Database):
    """The cloud at `path`.

    Raises `WorldError` when the file is damaged, not a world, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            super().__init__(path, synchronous="NORMAL")
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise self._failure(error) from error
        self.lost: dict[Key, CloudResource] = {}
        """What an interrupted run made and no state knows: making it again adopts it."""
        self.writes = 0
        """How often this process changed the world: lets a waiting request notice standstill."""

    def _prepare(self) -> None:
        try:
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, _VERSION):
                raise self._unusable(f"version {version}, this program needs {_VERSION}")
            check = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if check != "ok":
                raise self._unusable(check)
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        except BaseException:
            self.close()
            raise

    def _unusable(self, found: str) -> WorldError:
        return WorldError(
            f"{self.path}: cannot be read as a sandbox world: found '{found}'; allowed: a file "
            "written by the sandbox; put a copy back, or delete it together with "
            "the state of the stacks that lived in it"
        )

    def _failure(self, error: OSError | sqlite3.Error) -> WorldError:
        if isinstance(error, sqlite3.OperationalError) and _PASSING.search(str(error)):
            return WorldError(
                f"{self.path}: cannot be used now: {error}; nothing in it was changed: stop other "
                "commands on this stack, free disk space or fix the file's permissions, then run "
                "the command again"
            )
        return self._unusable(str(error))

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a statement. Raises `WorldError`."""
        try:
            return super().rows(sql, *values)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def get(self, type_: str, id_: str, scope: str = "") -> CloudResource | None:
        """Return the resource of that type and id, or None."""
        found = self._select("type = ? AND id = ? AND scope = ?", type_, id_, scope)
        return found[0] if found else None

    def exists(self, id_: str, scope: str = "") -> bool:
        """Return whether anything has that id, of whatever type."""
        return bool(self.find(id_, scope))

    def find(self, id_: str, scope: str = "") -> list[CloudResource]:
        """Return everything with that id, of whatever type."""
        return self._select("id = ? AND scope = ?", id_, scope)

    def find_all(self, type_: str, id_: str) -> list[CloudResource]:
        """Return everything of that type and id, in whatever cluster."""
        return self._select("type = ? AND id = ?", type_, id_)

    def by_type(
        self, type_: str, project: str | None = None, scope: str | None = None
    ) -> list[CloudResource]:
        """Return all of a type in creation order, optionally of one project or one cluster."""
        where, parameters = "type = ?", [type_]
        if project is not None:
            where, parameters = f"{where} AND project = ?", [*parameters, project]
        if scope is not None:
            where, parameters = f"{where} AND scope = ?", [*parameters, scope]
        return self._select(where, *parameters)

    def of_types(self, types: Collection[str]) -> list[CloudResource]:
        """Return all of some types, in creation order."""
        return self._select(f"type IN ({', '.join('?' * len(types))})", *types)

    def in_scope(self, scope: str) -> list[CloudResource]:
        """Return everything inside one cluster, in creation order."""
        return self._select("scope = ?", scope)

    def all(self) -> list[CloudResource]:
        """Return everything, in creation order."""
        return self._select("1")

    def count(self) -> int:
        """Return how many things were made, those of controllers included."""
        return int(self.rows("SELECT count(*) FROM resources WHERE owner != ?", EXISTING)[0][0])

    def _select(self, where: str, *parameters: str) -> list[CloudResource]:
        rows = self.rows(
            f"SELECT {_COLUMNS} FROM resources WHERE {where} ORDER BY created",  # noqa: S608 -- constants
            *parameters,
        )
        return [
            CloudResource(
                *row[:6],
                inputs=json.loads(row[6]),
                outputs=json.loads(row[7]),
                created=row[8],
            )
            for row in rows
        ]

    def put(self, resource: CloudResource) -> None:
        """Make or change a resource; its place in the creation order stays."""
        with self._lock:
            self.rows(
                "INSERT INTO resources (type, id, scope, project, owner, urn, inputs, outputs) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (type, id, scope) DO UPDATE SET "
                "project = excluded.project, owner = excluded.owner, urn = excluded.urn, "
                "inputs = excluded.inputs, outputs = excluded.outputs",
                resource.type,
                resource.id,
                resource.scope,
                resource.project,
                resource.owner,
                resource.urn,
                json.dumps(storable(resource.inputs)),
                json.dumps(storable(resource.outputs)),
            )
            self.writes += 1

    def remove(self, type_: str, id_: str, scope: str = "") -> None:
        """Forget a resource; nothing happens when it is not there."""
        with self._lock:
            self.rows(
                "DELETE FROM resources WHERE type = ? AND id = ? AND scope = ?", type_, id_, scope
            )
            self.writes += 1

    def add_project(self, project: str, number: str) -> None:
        """Let a project exist."""
        self.rows("INSERT OR IGNORE INTO projects VALUES (?, ?)", project, number)

    def projects(self) -> dict[str, str]:
        """Return project id -> project number of the projects that exist."""
        return dict(self.rows("SELECT id, number FROM projects ORDER BY id"))

    def enable_api(self, project: str, service: str) -> None:
        """Switch a Cloud API (`run.googleapis.com`) on."""
        with self._lock:
            self.rows("INSERT OR IGNORE INTO enabled_apis VALUES (?, ?)", project, service)
            self.writes += 1

    def disable_api(self, project: str, service: str) -> None:
        """Switch a Cloud API off."""
        self.rows("DELETE FROM enabled_apis WHERE project = ? AND service = ?", project, service)

    def enabled_apis(self, project: str) -> set[str]:
        """Return the Cloud APIs that are on in the project."""
        rows = self.rows("SELECT service FROM enabled_apis WHERE project = ?", project)
        return {row[0] for row in rows}

    def put_content(self, holder: str, name: str) -> None:
        """Put what no resource stands for into the resource with the id `holder`: an image, or
        a secret's value, by their full names."""
        with self._lock:
            self.rows("INSERT OR REPLACE INTO contents VALUES (?, ?)", holder, name)
            self.writes += 1

    def has_content(self, name: str) -> bool:
        """Return whether such a content was put in."""
        return bool(self.rows("SELECT 1 FROM contents WHERE name = ?", name))

    def forget_contents(self, holder: str) -> None:
        """Let the contents of a resource go with it."""
        self.rows("DELETE FROM contents WHERE holder = ?", holder)

    def struck(self, fault: str, urn: str) -> tuple[int, int]:
        """Return how many calls on a resource a fault of a plan was there for, and how many of
        their requests it answered."""
        sql = "SELECT calls, requests FROM struck WHERE fault = ? AND urn = ?"
        found = self.rows(sql, fault, urn)
        return tuple(found[0]) if found else (0, 0)

    def strike(self, fault: str, urn: str, calls: int, requests: int) -> None:
        """Note that."""
        self.rows("REPLACE INTO struck VALUES (?, ?, ?, ?)", fault, urn, calls, requests)

    def assume(self, subject: str, wanted_by: str) -> None:
        """Note that `wanted_by` relies on something this world cannot know."""
        self.rows("INSERT OR IGNORE INTO assumptions VALUES (?, ?)", subject, wanted_by)

    def assumptions(self) -> list[Assumption]:
        """Return what the resources of this world rely on outside of it."""
        rows = self.rows("SELECT subject, wanted_by FROM assumptions ORDER BY 1, 2")
        return [Assumption(*row) for row in rows]
