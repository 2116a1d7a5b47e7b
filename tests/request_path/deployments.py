"""Change a deployment in one place, and read it."""

import copy
import json
from collections.abc import Callable
from typing import Any, cast

from components.inference.multi_node import LEADER, WORKER
from request_path.objects import Objects
from request_path.reading import read
from resources.exports import deployed

Deployment = list[dict[str, Any]]
Change = Callable[[Deployment], None]
GONE = object()
ROUTE, POOL, GATEWAY = "v1:HTTPRoute", "v1:InferencePool", "v1:Gateway"
TRAFFIC, ROUTING = "v1:GCPTrafficExtension", "v1:GCPRoutingExtension"
DEPLOYMENT, SERVICE = "apps/v1:Deployment", "core/v1:Service"


def changed(deployment: Deployment, change: Change) -> Objects:
    """Return the objects of a deployment after a change, which leaves the deployment as it is."""
    copied = copy.deepcopy(deployment)
    change(copied)
    return objects(copied)


def objects(deployment: Deployment) -> Objects:
    return read(deployed(deployment))


def the(deployment: Deployment, kind: str, name: str) -> dict[str, Any]:
    """Return the one resource of a kind with this name in the program."""
    [found] = [
        each
        for each in deployment
        if each["type"].endswith(kind) and each["urn"].endswith(f"::{name}")
    ]
    return found


def put(kind: str, name: str, *path: str | int, to: object) -> Change:
    """Return a change that puts a value at a path of a resource, or takes it away (`GONE`)."""

    def change(deployment: Deployment) -> None:
        resource = the(deployment, kind, name)
        for side in ("inputs", "outputs"):
            place: Any = resource[side]
            for step in path[:-1]:
                place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
            if to is GONE:
                del place[path[-1]]
            else:
                place[path[-1]] = copy.deepcopy(to)

    return change


def without(kind: str, name: str) -> Change:
    """Return a change that takes a resource away."""
    return lambda deployment: deployment.remove(the(deployment, kind, name))


def twin(kind: str, name: str, *, named: str) -> Change:
    """Return a change that adds a copy of a Kubernetes object, with another name."""

    def change(deployment: Deployment) -> None:
        copied = copy.deepcopy(the(deployment, kind, name))
        copied["urn"] = f"{copied['urn'].rpartition('::')[0]}::{named}"
        for side in ("inputs", "outputs"):
            copied[side]["metadata"]["name"] = named
        deployment.append(copied)

    return change


def settings(change: Callable[[list[dict[str, str]]], object], extension: str) -> Change:
    """Return a change of Model Armor's settings in a traffic extension."""

    def apply(deployment: Deployment) -> None:
        resource = the(deployment, TRAFFIC, extension)
        for side in ("inputs", "outputs"):
            [metadata] = [
                each["metadata"]
                for each in resource[side]["spec"]["extensionChains"][0]["extensions"]
                if "model_armor_settings" in each.get("metadata", {})
            ]
            entries = cast("list[dict[str, str]]", json.loads(metadata["model_armor_settings"]))
            change(entries)
            metadata["model_armor_settings"] = json.dumps(entries)

    return apply


def across_nodes(name: str, nodes: int) -> Change:
    """Return a change that makes the pods of a Deployment groups of a leader and its workers."""

    def change(deployment: Deployment) -> None:
        resource = the(deployment, DEPLOYMENT, name)
        resource["type"] = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
        for side in ("inputs", "outputs"):
            leader = resource[side]["spec"].pop("template")
            worker = copy.deepcopy(leader)
            leader["metadata"]["labels"] |= LEADER
            worker["metadata"]["labels"] |= WORKER
            for container in worker["spec"]["containers"]:
                container.pop("ports", None)
            resource[side]["spec"]["leaderWorkerTemplate"] = {
                "size": nodes,
                "leaderTemplate": leader,
                "workerTemplate": worker,
            }

    return change


def both(*changes: Change) -> Change:
    def change(deployment: Deployment) -> None:
        for each in changes:
            each(deployment)

    return change
