"""Objects of a Cloud Storage bucket.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote

from services.common.google_rest import GoogleError, GoogleRest

NEVER_WRITTEN = 0
"""The generation of an object that isn't there."""


class Object(NamedTuple):
    """An object's content, and the generation it has with it."""

    content: bytes
    generation: int


class ChangedError(Exception):
    """Somebody else has written the object since it was read."""


class Objects:
    """The objects of one bucket, `gs://<bucket>` or its name alone."""

    def __init__(self, google: GoogleRest, bucket: str) -> None:
        self._google = google
        self.bucket = bucket.removeprefix("gs://")

    def read(self, name: str) -> Object | None:
        """Return an object; None where there is none. Raises GoogleError."""
        path = f"/storage/v1/b/{self.bucket}/o/{quote(name, safe='')}"
        try:
            answer = self._google.send("GET", "storage", path, params={"alt": "media"})
        except GoogleError as problem:
            if problem.status == 404:
                return None
            raise
        return Object(answer.content, int(answer.headers["x-goog-generation"]))

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the objects that begin so, in their order. Raises GoogleError."""
        path, parameters = f"/storage/v1/b/{self.bucket}/o", {"prefix": prefix}
        parameters["fields"] = "items(name),nextPageToken"
        while True:
            answer = self._google.call("GET", "storage", path, **parameters)
            yield from (str(each["name"]) for each in answer.get("items", ()))
            if not answer.get("nextPageToken"):
                return
            parameters["pageToken"] = answer["nextPageToken"]

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield the lines of an object, as they come. Raises GoogleError."""
        path = f"/storage/v1/b/{self.bucket}/o/{quote(name, safe='')}"
        parameters = {"alt": "media"}
        answer = self._google.send("GET", "storage", path, params=parameters, stream=True)
        yield from answer.iter_lines()

    def write(self, name: str, content: bytes, generation: int | None = None) -> None:
        """Write an object, only over `generation` where that is given.

        Raises ChangedError where it has another one, and GoogleError.
        """
        parameters = {"uploadType": "media", "name": name}
        if generation is not None:
            parameters["ifGenerationMatch"] = str(generation)
        path = f"/upload/storage/v1/b/{self.bucket}/o"
        try:
            self._google.send("POST", "storage", path, params=parameters, data=content)
        except GoogleError as problem:
            if problem.status == 412:
                raise ChangedError(f"gs://{self.bucket}/{name} was changed meanwhile") from problem
            raise
