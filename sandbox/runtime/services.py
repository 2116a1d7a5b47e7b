"""The Cloud Run services of a world, as their resources describe them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.messages.resources import part, seconds
from sandbox.world import Resource, World

SERVICE = "gcp:cloudrunv2/service:Service"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 -- a type


class MissingSecretError(LookupError):
    """A secret the service names has no value in the world."""


@dataclass(frozen=True)
class Probe:
    """How it is seen that an instance has started: a GET of `path`, or the port being open."""

    path: str | None
    period: float
    """Seconds."""
    failures: int
    """As many as these, and the instance is given up."""


@dataclass(frozen=True)
class CloudRun:
    """A service; durations are in seconds."""

    id: str
    name: str
    project: str
    location: str
    uri: str
    audiences: tuple[str, ...]
    """What a token may be for: the service's URLs and its custom audiences."""
    revision: str
    image: str
    command: tuple[str, ...]
    """In place of the image's; empty for the image's."""
    environment: Mapping[str, str] = field(repr=False)
    port: int
    account: str
    least: int
    most: int
    concurrency: int
    timeout: float
    anyone: bool
    """Whether callers aren't checked."""
    probe: Probe


def cloud_run_services(world: World) -> list[CloudRun]:
    """The services of a world. Raises MissingSecretError."""
    return [_service(world, resource) for resource in world.by_type(SERVICE)]


def _service(world: World, resource: Resource) -> CloudRun:
    inputs, outputs = resource.inputs, resource.outputs
    template: Mapping[str, Any] = inputs["template"]
    container: Mapping[str, Any] = template["containers"][0]
    scaling, ports = part(template, "scaling"), part(container, "ports")
    urls = [outputs.get("uri"), *(outputs.get("urls") or ())]
    project = resource.project or inputs["project"]
    return CloudRun(
        id=resource.id,
        name=inputs["name"],
        project=project,
        location=inputs["location"],
        uri=str(outputs["uri"]),
        audiences=tuple(
            filter(None, dict.fromkeys([*urls, *(inputs.get("customAudiences") or ())]))
        ),
        revision=str(outputs.get("latestReadyRevision", inputs["name"])).rpartition("/")[2],
        image=container["image"],
        command=(*(container.get("commands") or ()), *(container.get("args") or ())),
        environment=dict(_variable(world, project, env) for env in container.get("envs") or ()),
        port=int(ports.get("containerPort") or 8080),
        account=str(template.get("serviceAccount") or ""),
        least=int(scaling.get("minInstanceCount") or 0),
        most=int(scaling.get("maxInstanceCount") or 100),
        concurrency=int(template.get("maxInstanceRequestConcurrency") or 80),
        timeout=seconds(template.get("timeout"), 300.0),
        anyone=bool(inputs.get("invokerIamDisabled")),
        probe=_probe(part(container, "startupProbe")),
    )


def _probe(probe: Mapping[str, Any]) -> Probe:
    http = probe.get("httpGet")
    return Probe(
        path=None if http is None else str(http.get("path") or "/"),
        period=float(probe.get("periodSeconds") or 10),
        failures=int(probe.get("failureThreshold") or 3),
    )


def _variable(world: World, project: str, env: Mapping[str, Any]) -> tuple[str, str]:
    reference = part(part(env, "valueSource"), "secretKeyRef")
    if not reference:
        return env["name"], str(env.get("value") or "")
    name = str(reference["secret"]).rpartition("/")[2]
    wanted = rf"projects/[^/]+/secrets/{re.escape(name)}"
    versions = [
        version
        for version in world.by_type(SECRET_VERSION, project=project)
        if re.fullmatch(rf"({wanted}|{re.escape(name)})", str(version.inputs.get("secret")))
        and version.inputs.get("enabled", True)
    ]
    if not versions:
        raise MissingSecretError(
            f"{env['name']} is to come from secret {name}, which has no version in the stack"
        )
    return env["name"], str(
        versions[-1].inputs.get("secretData") or versions[-1].inputs.get("secretDataWo") or ""
    )
