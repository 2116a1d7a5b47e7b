"""The Model Registry of Vertex AI: models, their versions and aliases.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.google.caller import Caller, body_of, error

_MODELS = "/v1/projects/{project}/locations/{region}/models"


class Registry:
    """Versions of models by the model's name, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._models: dict[str, list[dict[str, Any]]] = (
            json.loads(file.read_text()) if file.exists() else {}
        )

    def versions(self, model: str) -> Sequence[Mapping[str, Any]]:
        """Return the versions of a model, the first one first."""
        return self._models.get(model, ())

    def add(self, model: str, fields: Mapping[str, Any]) -> str:
        """Add a version; return its number."""
        versions = self._models.setdefault(model, [])
        number = str(len(versions) + 1)
        aliases = [*fields.get("versionAliases", ()), *(() if versions else ("default",))]
        versions.append({**fields, "versionId": number, "versionAliases": []})
        self.name(model, number, aliases)
        return number

    def name(self, model: str, number: str, aliases: Sequence[str]) -> bool:
        """Give a version aliases, which others lose; return whether there is that version."""
        versions = self._models.get(model, [])
        if number not in {each["versionId"] for each in versions}:
            return False
        for each in versions:
            kept = [alias for alias in each["versionAliases"] if alias not in aliases]
            each["versionAliases"] = [*kept, *aliases] if each["versionId"] == number else kept
        self._file.write_text(json.dumps(self._models))
        return True


def routes(registry: Registry, caller: Caller) -> Sequence[Route]:
    """Return what answers a caller."""

    def place(request: Request) -> str:
        return "projects/{project}/locations/{region}".format_map(request.path_params)

    def check(request: Request, permission: str) -> None:
        caller.check(request, permission, f"projects/{request.path_params['project']}")

    async def get(request: Request) -> Response:
        check(request, "aiplatform.models.get")
        name = f"{place(request)}/models/{request.path_params['model']}"
        versions = registry.versions(name)
        if not versions:
            return error(404, "NOT_FOUND", f"there is no model {name}")
        return JSONResponse({"name": name, **versions[-1]})

    async def upload(request: Request) -> Response:
        check(request, "aiplatform.models.upload")
        body = await body_of(request)
        parent, own = body.get("parentModel"), f"{place(request)}/models/{body.get('modelId')}"
        if parent is not None and not registry.versions(parent):
            return error(404, "NOT_FOUND", f"there is no model {parent}")
        if parent is None and registry.versions(own):
            return error(409, "ALREADY_EXISTS", f"there is a model {own}")
        number = registry.add(parent or own, body["model"])
        answer = {"model": parent or own, "modelVersionId": number}
        operation = f"{place(request)}/operations/upload-{number}"
        return JSONResponse({"name": operation, "done": True, "response": answer})

    async def merge(request: Request) -> Response:
        check(request, "aiplatform.models.update")
        model, _, number = str(request.path_params["version"]).partition("@")
        name = f"{place(request)}/models/{model}"
        if not registry.name(name, number, (await body_of(request))["versionAliases"]):
            return error(404, "NOT_FOUND", f"there is no version {number} of {name}")
        return JSONResponse({"name": f"{name}@{number}"})

    return [
        Route(f"{_MODELS}:upload", upload, methods=["POST"]),
        Route(f"{_MODELS}/{{version}}:mergeVersionAliases", merge, methods=["POST"]),
        Route(f"{_MODELS}/{{model}}", get),
    ]
