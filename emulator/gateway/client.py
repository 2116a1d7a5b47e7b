"""A small client of the Kubernetes API: server-side apply, dry runs and deletion."""

import json
import ssl
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from emulator.gateway.programs import LOOPBACK

Manifest = dict[str, Any]

FIELD_MANAGER = "inference"
APPLY = "application/apply-patch+yaml"
JSON = "application/json"
REQUEST_SECONDS = 60.0
KEPT_SECONDS = 60.0
"""The API server closes a connection that nobody used for 90."""
SETTLE_SECONDS = 30.0
NOT_FOUND = 404


class RefusedError(Exception):
    """The API server's answer to a request that it doesn't do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Client:
    """Speaks to one API server as a cluster administrator.

    `warnings` collects what the server accepted with a warning.
    """

    def __init__(self, port: int, certificate: Path, token: str) -> None:
        self.url = f"https://{LOOPBACK}:{port}"
        self.certificate = certificate
        self._port = port
        self._connection: HTTPSConnection | None = None
        self._used = 0.0
        self.token = token
        self._served: dict[tuple[str, str], tuple[str, bool]] = {}
        self.warnings: list[str] = []

    def again(self) -> "Client":
        """Return another client of the same server: each is of one thread."""
        return Client(self._port, self.certificate, self.token)

    def request(
        self, method: str, path: str, body: Manifest | None = None, kind_of_body: str = JSON
    ) -> Manifest:
        """Send one request. Raises RefusedError if the answer isn't a success."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind_of_body}
        content = None if body is None else json.dumps(body)
        connection = self._connected()
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, HTTPException):
            self.close()
            raise
        self.warnings += [f"{path}: {line}" for line in response.headers.get_all("Warning", [])]
        answer: Any = json.loads(text) if text.startswith("{") else {"message": text}
        if response.status >= 400:
            raise RefusedError(response.status, answer.get("message", text))
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> HTTPSConnection:
        """Return the connection, which is kept: to open one takes longer than most requests."""
        now = time.monotonic()
        if now - self._used > KEPT_SECONDS:
            self.close()
        self._used = now
        if self._connection is None:
            # The server writes its certificate when it starts.
            trust = ssl.create_default_context(cafile=str(self.certificate))
            self._connection = HTTPSConnection(
                LOOPBACK, self._port, timeout=REQUEST_SECONDS, context=trust
            )
        return self._connection

    def apply(self, manifest: Manifest, *, dry_run: bool = False, force: bool = False) -> Manifest:
        """Apply on the server's side, where a field that the kind doesn't have is an error."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        if dry_run:
            query["dryRun"] = "All"
        if force:
            query["force"] = "true"
        applied = self.request(
            "PATCH", f"{self.path(manifest)}?{urlencode(query)}", manifest, APPLY
        )
        if manifest["kind"] == "CustomResourceDefinition" and not dry_run:
            self._until_served(manifest)
        return applied

    def create_dry(self, manifest: Manifest) -> Manifest:
        """Go through creation, admission included, without keeping the object."""
        query = urlencode({"dryRun": "All", "fieldValidation": "Strict"})
        return self.request("POST", f"{self._collection(manifest)}?{query}", manifest)

    def delete(self, manifest: Manifest) -> None:
        """Delete and wait until the object is gone."""
        path = self.path(manifest)
        options: Manifest = {"propagationPolicy": "Background"}
        self.request("DELETE", path, options)
        if manifest["kind"] == "Namespace":
            # The namespace controller's part, which isn't in the API server.
            namespace = self.request("GET", path)
            namespace["spec"]["finalizers"] = []
            self.request("PUT", f"{path}/finalize", namespace)
        _wait(lambda: not self.exists(path), f"{path} is still there after its deletion")
        if manifest["kind"] == "CustomResourceDefinition":
            self._served.clear()

    def exists(self, path: str) -> bool:
        """Return whether something is at a path."""
        try:
            self.request("GET", path)
        except RefusedError as refusal:
            if refusal.status == NOT_FOUND:
                return False
            raise
        return True

    def path(self, manifest: Manifest) -> str:
        """Return the path of an object. Raises RefusedError if the server doesn't know the kind."""
        return f"{self._collection(manifest)}/{manifest['metadata']['name']}"

    def _collection(self, manifest: Manifest) -> str:
        version = manifest["apiVersion"]
        root = _root(version)
        key = version, manifest["kind"]
        if key not in self._served:
            for resource in self.request("GET", root)["resources"]:
                if "/" not in resource["name"]:
                    self._served[version, resource["kind"]] = (
                        resource["name"],
                        resource["namespaced"],
                    )
        if key not in self._served:
            raise RefusedError(NOT_FOUND, f"no kind {manifest['kind']} in {version}")
        plural, namespaced = self._served[key]
        if not namespaced:
            return f"{root}/{plural}"
        return f"{root}/namespaces/{manifest['metadata']['namespace']}/{plural}"

    def _until_served(self, definition: Manifest) -> None:
        spec = definition["spec"]
        for version in spec["versions"]:
            path = f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"
            if version["served"]:
                _wait(lambda path=path: self.exists(path), f"{path} isn't served")


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def _wait(reached: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + SETTLE_SECONDS
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.05)
