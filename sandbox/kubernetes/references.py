"""Finds objects that name something the cluster does not have.

The API server accepts them, and controllers look again and again. So only what the provider waits
for (workloads, and objects with `pulumi.com/waitFor`) is held until its targets are there, and
refused when the cluster has come to rest without them. The rest is found afterwards, by `dangling`.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from catalog.config_folder import make_command
from sandbox.errors import kubernetes
from sandbox.gcp.admission import denial
from sandbox.gcp.contents import missing_image
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.gateways import waits
from sandbox.kubernetes.known import known, row
from sandbox.kubernetes.objects import Kind, at, object_id, split_id
from sandbox.values import Values, is_map
from sandbox.world import CloudResource, World

_POLL_SECONDS: Final = 0.05
_LONGEST_SECONDS: Final = 120.0
_BORN: Final = frozenset({("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")})
_PRIORITIES: Final = frozenset({"system-cluster-critical", "system-node-critical"})


@dataclass(frozen=True)
class Target:
    """Something an object names."""

    path: str
    group: str
    kind: str
    namespace: str
    name: str
    granted: bool = False
    """Whether another namespace must allow the reference with a ReferenceGrant."""


def check_references(
    world: World, cluster: Cluster, kind: Kind, id_: str, inputs: Values, patience: float
) -> None:
    """Raise when an awaited object's target is missing after `patience` seconds of standstill."""
    if "pods" not in row(kind) and not waits(inputs):
        return
    namespace = split_id(id_)[0]
    for target in _targets(kind, namespace, inputs):
        problem = _settled(world, cluster, kind, namespace, target, patience)
        if problem:
            raise kubernetes(
                f'the Kubernetes API server reported that "{id_}" failed to fully initialize or '
                f"become live: {kind.name} {target.path}: {problem}"
            )
    for problem in _pull_problems(world, cluster, kind, inputs):
        raise kubernetes(
            f'the Kubernetes API server reported that "{id_}" failed to fully initialize or '
            f"become live: {problem}"
        )


def dangling(world: World) -> list[str]:
    """Return every object of every cluster whose target is missing, a line each: they do
    nothing."""
    lines: list[str] = []
    for resource in world.by_type(CLUSTER):
        cluster = Cluster(resource)
        for applied in world.in_scope(cluster.id):
            kind = Kind(applied.type)
            namespace = split_id(applied.id)[0]
            lines += [
                f"{kind.name} {applied.id} in {cluster.resource.id}: {target.path}: {problem}"
                for target in _targets(kind, namespace, applied.inputs)
                if (problem := _problem(world, cluster, kind, namespace, target))
            ]
            lines += [
                f"{kind.name} {applied.id} in {cluster.resource.id}: {problem}"
                for problem in _pull_problems(world, cluster, kind, applied.inputs)
            ]
    return lines


def _pull_problems(world: World, cluster: Cluster, kind: Kind, inputs: Values) -> Iterator[str]:
    """Yield a problem for each image of a pod template that no node can pull, or none may run."""
    template = row(kind).get("pods")
    for pod in at(inputs, template) if template else []:
        for containers in ("containers", "initContainers"):
            for container in at(pod, f"{containers}[]"):
                image = str(container.get("image", ""))
                if cluster.asks_admission and (wrong := denial(world, cluster.project, image)):
                    yield (
                        'admission webhook "imagepolicywebhook.image-policy.k8s.io" denied the '
                        f"request: {wrong}"
                    )
                if wrong := missing_image(world, image):
                    yield (
                        f"containers with unready status: [{container.get('name')}]: "
                        f"[ImagePullBackOff] {wrong} Build and push it: `{make_command('images')}`"
                    )


def _settled(
    world: World, cluster: Cluster, kind: Kind, namespace: str, target: Target, patience: float
) -> str:
    """Return the problem with a target once nothing changes any more, or ''."""
    started = quiet_since = time.monotonic()
    writes = world.writes
    while problem := _problem(world, cluster, kind, namespace, target):
        now = time.monotonic()
        if world.writes != writes:
            writes, quiet_since = world.writes, now
        if now - quiet_since >= patience or now - started >= _LONGEST_SECONDS:
            return problem
        time.sleep(_POLL_SECONDS)
    return ""


def _problem(world: World, cluster: Cluster, kind: Kind, namespace: str, target: Target) -> str:
    if (target.kind, target.name) in _BORN or target.name in _PRIORITIES:
        return ""
    if not _exists(world, cluster, target):
        plural = Kind(f"kubernetes:{target.group or 'core'}/v1:{target.kind}").plural
        place = f" in namespace '{target.namespace}'" if target.namespace else ""
        return f'{plural} "{target.name}" not found{place}'
    if target.granted and target.namespace != namespace:
        return _grant_problem(world, cluster, kind, namespace, target)
    return ""


def _exists(world: World, cluster: Cluster, target: Target) -> bool:
    ids = {object_id(target.namespace, target.name), target.name}
    return any(
        Kind(resource.type).name == target.kind and Kind(resource.type).group == target.group
        for id_ in ids
        for resource in world.find(id_, cluster.id)
    )


def _grant_problem(
    world: World, cluster: Cluster, kind: Kind, namespace: str, target: Target
) -> str:
    for resource in world.in_scope(cluster.id):
        if Kind(resource.type).name == "ReferenceGrant" and _grants(
            resource, kind, namespace, target
        ):
            return ""
    return (
        f"{target.kind} '{target.namespace}/{target.name}' is in another namespace, and no "
        f"ReferenceGrant there allows {kind.name}s of '{namespace}' to refer to it"
    )


def _grants(grant: CloudResource, kind: Kind, namespace: str, target: Target) -> bool:
    spec: Any = grant.inputs.get("spec", {})
    wanted = {"group": kind.group, "kind": kind.name, "namespace": namespace}
    return (
        split_id(grant.id)[0] == target.namespace
        and any(item == wanted for item in spec.get("from", []))
        and any(
            item.get("group", "") == target.group
            and item.get("kind") == target.kind
            and item.get("name", target.name) == target.name
            for item in spec.get("to", [])
        )
    )


def _targets(kind: Kind, namespace: str, inputs: Values) -> Iterator[Target]:
    for reference in row(kind).get("references", ()):
        yield from _named(reference, "", inputs, namespace)
    template = row(kind).get("pods")
    for pod in at(inputs, template) if template else []:
        for reference in known()["pods"]:
            yield from _named(reference, f"{template}.", pod, namespace)


def _named(reference: Values, prefix: str, value: Any, namespace: str) -> Iterator[Target]:
    for found in at(value, reference["path"]):
        path, granted = f"{prefix}{reference['path']}", bool(reference.get("granted"))
        cluster_wide = reference["kind"] == "PriorityClass"
        default = "" if cluster_wide else namespace
        if reference.get("text"):
            yield Target(path, reference.get("group", ""), reference["kind"], default, str(found))
        elif is_map(found) and found.get("name") and not found.get("optional"):
            group = found.get("group", found.get("apiVersion", reference.get("group", "")))
            yield Target(
                path,
                str(group).partition("/")[0] if "/" in str(group) else str(group),
                str(found.get("kind", reference["kind"])),
                str(found.get("namespace") or default),
                str(found["name"]),
                granted,
            )
