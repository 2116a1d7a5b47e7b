"""Vertex AI: runs of the training pipeline, and the versions in the Model Registry.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.models
"""

import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.common.google_rest import GoogleError, GoogleRest

_PIPELINE = Path(__file__).with_name("pipeline.yaml")
_IMAGE = "sentiment-trainer"
"""What the compiled pipeline calls the image, whose address a stack knows."""
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 300.0
ENDED_BADLY = ("PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED")


class Vertex:
    """Vertex AI in a project and a region."""

    def __init__(self, google: GoogleRest, project: str, region: str) -> None:
        self._google = google
        self._api = f"{region}-aiplatform"
        self._place = f"projects/{project}/locations/{region}"

    def run(
        self, job: str, *, image: str, account: str, root: str, parameters: Mapping[str, str]
    ) -> None:
        """Begin a run; one with the same id that is there already is that one.

        Raises GoogleError.
        """
        body = {
            "displayName": job,
            "pipelineSpec": _pipeline(image),
            "runtimeConfig": {"gcsOutputDirectory": root, "parameterValues": parameters},
            "serviceAccount": account,
        }
        path = f"/v1/{self._place}/pipelineJobs"
        try:
            self._google.call("POST", self._api, path, body=body, pipelineJobId=job)
        except GoogleError as problem:
            if problem.status != 409:
                raise

    def state(self, job: str) -> str:
        """Return a run's state. Raises GoogleError."""
        found = self._google.call("GET", self._api, f"/v1/{self._place}/pipelineJobs/{job}")
        return str(found["state"])

    def register(self, model: str, **fields: Any) -> str:
        """Enter a version in the registry; return its name with its number. Raises GoogleError."""
        path = f"/v1/{self._place}/models"
        there = self._exists(f"{path}/{model}")
        body: dict[str, Any] = {"model": {"displayName": model, **fields}}
        body |= {"parentModel": f"{self._place}/models/{model}"} if there else {"modelId": model}
        operation = self._google.call("POST", self._api, f"{path}:upload", body=body)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not operation.get("done"):
            if time.monotonic() > deadline:
                raise GoogleError(504, f"{operation['name']} is still under way")
            time.sleep(_LOOK_SECONDS)
            operation = self._google.call("GET", self._api, f"/v1/{operation['name']}")
        if "error" in operation:
            raise GoogleError(500, f"{path}:upload: {operation['error']}")
        answer = operation["response"]
        return f"{answer['model']}@{answer['modelVersionId']}"

    def name(self, registered: str, alias: str) -> None:
        """Give a version an alias, which the one that had it loses. Raises GoogleError."""
        path = f"/v1/{registered}:mergeVersionAliases"
        self._google.call("POST", self._api, path, body={"versionAliases": [alias]})

    def _exists(self, path: str) -> bool:
        try:
            self._google.call("GET", self._api, path)
        except GoogleError as problem:
            if problem.status != 404:
                raise
            return False
        return True


@cache
def _compiled() -> str:
    return _PIPELINE.read_text(encoding="utf-8")


def _pipeline(image: str) -> Mapping[str, Any]:
    """Return the compiled pipeline with the image that its steps run."""
    pipeline = yaml.safe_load(_compiled())
    for executor in pipeline["deploymentSpec"]["executors"].values():
        if executor["container"]["image"] == _IMAGE:
            executor["container"]["image"] = image
    return pipeline
