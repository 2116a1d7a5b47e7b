"""Cloud Storage: objects of a world's buckets, with their generations.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.google.caller import Caller, error
from sandbox.database import Database
from sandbox.world import World

BUCKET: Final = "gcp:storage/bucket:Bucket"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, name TEXT, generation INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (bucket, name)
);
"""


class StoredObject(NamedTuple):
    """An object as it is now."""

    generation: int
    content: bytes


class ObjectStore:
    """Objects by bucket and name. Safe for threads."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._file = Database(path, _SCHEMA, synchronous="FULL")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def project(self, bucket: str) -> str | None:
        """Return the id of a bucket's project; None where there is no such bucket."""
        found = self._world.get(BUCKET, bucket)
        return f"projects/{found.project or found.inputs['project']}" if found else None

    def read(self, bucket: str, name: str) -> StoredObject | None:
        """Return an object; None where there is none."""
        found = self._file.rows(
            "SELECT generation, content FROM objects WHERE bucket = ? AND name = ?", bucket, name
        )
        return StoredObject(*found[0]) if found else None

    def names(self, bucket: str, prefix: str) -> Sequence[str]:
        """Return the names that begin so, in their order."""
        found = self._file.rows(
            "SELECT name FROM objects WHERE bucket = ? AND substr(name, 1, ?) = ? ORDER BY name",
            bucket,
            len(prefix),
            prefix,
        )
        return [name for (name,) in found]

    def write(self, bucket: str, name: str, content: bytes, wanted: int | None) -> int | None:
        """Write an object; return its generation, None where it hasn't the wanted one."""
        with self._file.transaction():
            there = self.read(bucket, name)
            now = there.generation if there else 0
            if wanted is not None and wanted != now:
                return None
            self._file.rows(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", bucket, name, now + 1, content
            )
            return now + 1

    def remove(self, bucket: str, name: str) -> None:
        """Remove an object, where it is there."""
        self._file.rows("DELETE FROM objects WHERE bucket = ? AND name = ?", bucket, name)


def routes(store: ObjectStore, caller: Caller) -> Sequence[Route]:
    """Return what answers a caller."""

    async def read(request: Request) -> Response:
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        project = store.project(bucket)
        if project is None:
            return error(404, "NOT_FOUND", f"there is no bucket {bucket}")
        caller.check(request, "storage.objects.get", bucket, project)
        found = store.read(bucket, name)
        if found is None:
            return error(404, "NOT_FOUND", f"there is no object {bucket}/{name}")
        headers = {"x-goog-generation": str(found.generation)}
        return Response(found.content, headers=headers, media_type="application/octet-stream")

    async def listed(request: Request) -> Response:
        bucket = request.path_params["bucket"]
        project = store.project(bucket)
        if project is None:
            return error(404, "NOT_FOUND", f"there is no bucket {bucket}")
        caller.check(request, "storage.objects.list", bucket, project)
        names = store.names(bucket, request.query_params.get("prefix", ""))
        return JSONResponse({"items": [{"name": name} for name in names]} if names else {})

    async def write(request: Request) -> Response:
        bucket, name = request.path_params["bucket"], request.query_params["name"]
        project = store.project(bucket)
        if project is None:
            return error(404, "NOT_FOUND", f"there is no bucket {bucket}")
        caller.check(request, "storage.objects.create", bucket, project)
        if store.read(bucket, name) is not None:
            caller.check(request, "storage.objects.delete", bucket, project)
        given = request.query_params.get("ifGenerationMatch")
        wanted = None if given is None else int(given)
        generation = store.write(bucket, name, await request.body(), wanted)
        if generation is None:
            return error(412, "FAILED_PRECONDITION", "the object has another generation")
        return JSONResponse({"bucket": bucket, "name": name, "generation": str(generation)})

    return [
        Route("/storage/v1/b/{bucket}/o", listed, methods=["GET"]),
        Route("/storage/v1/b/{bucket}/o/{name:path}", read),
        Route("/upload/storage/v1/b/{bucket}/o", write, methods=["POST"]),
    ]
