"""The Cloud Run services of a world, as their resources describe them.

https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from emulator.messages.resources import part, seconds
from emulator.runtime.secrets import Secrets
from sandbox.gcp.effects.cloud_run import REVISION
from sandbox.world import CloudResource, World


@dataclass(frozen=True)
class Probe:
    """How it is seen that an instance has started: a GET of `path`, or the port being open."""

    path: str | None
    period: float
    """Seconds."""
    failures: int
    """As many as these, and the instance is given up."""


@dataclass(frozen=True)
class Share:
    """A part of a service's requests that one revision gets."""

    revision: str
    percent: int
    tag: str = ""
    """Begins an address that leads to the revision alone, `<tag>---<host of the service>`."""


@dataclass(frozen=True)
class CloudRun:
    """A revision of a service; durations are in seconds."""

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
    files: Mapping[str, str] = field(repr=False)
    """Contents of the mounted secrets as it starts, by absolute path."""
    port: int
    account: str
    least: int
    most: int
    concurrency: int
    timeout: float
    anyone: bool
    """Whether callers aren't checked."""
    probe: Probe
    shares: tuple[Share, ...] = ()
    """Of the requests; those of a service as it was deployed last."""
    others: tuple["CloudRun", ...] = ()
    """Earlier revisions that have a share."""
    reads: Mapping[str, Callable[[], str]] = field(
        default_factory=dict[str, Callable[[], str]], repr=False, compare=False
    )
    """What each of the mounted secrets holds when it is read; raises MissingSecretError."""


def service_of(world: World, resource: CloudResource, by_hand: Path | None = None) -> CloudRun:
    """Return the service of a resource, as it was deployed last.

    `by_hand` is the folder with the values of secrets that the stack gives none, a file each.
    Raises MissingSecretError.
    """
    secrets = Secrets(world, resource.project or resource.inputs["project"], by_hand)
    latest = _revision(resource, resource.inputs["template"], _latest(resource), secrets)
    shares = tuple(_shares(resource, latest.revision))
    names = {share.revision for share in shares} - {latest.revision}
    others = [
        _revision(resource, found.inputs, name, secrets)
        for name in sorted(names)
        if (found := world.get(REVISION, f"{resource.id}/revisions/{name}")) is not None
    ]
    return replace(latest, shares=shares, others=tuple(others))


def _latest(resource: CloudResource) -> str:
    given = resource.inputs["template"].get("revision")
    made_up = resource.outputs.get("latestReadyRevision", resource.inputs["name"])
    return str(given or made_up).rpartition("/")[2]


def _shares(resource: CloudResource, latest: str) -> list[Share]:
    return [
        Share(
            revision=str(each.get("revision") or latest),
            percent=int(each.get("percent") or 0),
            tag=str(each.get("tag") or ""),
        )
        for each in resource.inputs.get("traffics") or [{"percent": 100}]
    ]


def _revision(
    resource: CloudResource, template: Mapping[str, Any], name: str, secrets: Secrets
) -> CloudRun:
    inputs, outputs = resource.inputs, resource.outputs
    container: Mapping[str, Any] = template["containers"][0]
    scaling, ports = part(template, "scaling"), part(container, "ports")
    urls = [outputs.get("uri"), *(outputs.get("urls") or ())]
    project = resource.project or inputs["project"]
    reads = _reads(secrets, template, container)
    return CloudRun(
        id=resource.id,
        name=inputs["name"],
        project=project,
        location=inputs["location"],
        uri=str(outputs["uri"]),
        audiences=tuple(
            filter(None, dict.fromkeys([*urls, *(inputs.get("customAudiences") or ())]))
        ),
        revision=name,
        image=container["image"],
        command=(*(container.get("commands") or ()), *(container.get("args") or ())),
        environment=dict(variable_of(secrets, env) for env in container.get("envs") or ()),
        files={path: read() for path, read in reads.items()},
        reads=reads,
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


def variable_of(secrets: Secrets, env: Mapping[str, Any]) -> tuple[str, str]:
    """Return a variable's name and value. Raises MissingSecretError."""
    reference = part(part(env, "valueSource"), "secretKeyRef")
    if not reference:
        return env["name"], str(env.get("value") or "")
    return env["name"], secrets.value(reference["secret"], reference.get("version"), env["name"])


def files_of(
    secrets: Secrets, template: Mapping[str, Any], container: Mapping[str, Any]
) -> dict[str, str]:
    """Return the contents of the mounted secrets by path. Raises MissingSecretError."""
    return {path: read() for path, read in _reads(secrets, template, container).items()}


def _reads(
    secrets: Secrets, template: Mapping[str, Any], container: Mapping[str, Any]
) -> dict[str, Callable[[], str]]:
    volumes = {each["name"]: part(each, "secret") for each in template.get("volumes") or ()}
    reads: dict[str, Callable[[], str]] = {}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"], {})
        for item in volume.get("items") or ():
            path = f"{mount['mountPath']}/{item['path']}"
            reads[path] = partial(secrets.value, volume["secret"], item.get("version"), path)
    return reads
