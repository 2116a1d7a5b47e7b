"""Which kinds a cluster serves: built-in, installed by GKE, or from definitions and charts."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.errors import kubernetes
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.known import known, row
from sandbox.kubernetes.objects import RELEASE, Kind
from sandbox.sdk_types import resource_type
from sandbox.world import World

DEFINITION: Final = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
_NUMBERS: Final = re.compile(r"\d+")


def check_served(world: World, cluster: Cluster, kind: Kind) -> None:
    """Raise the API server's error for a kind it does not know."""
    builtin = resource_type(kind.token) is not None
    if builtin and kind.api_version not in known()["unserved"]:
        if "alpha" not in kind.version:
            return
    elif not builtin and any(_is(kind, served) for served in _rows(world, cluster)):
        return
    raise kubernetes(
        f'no matches for kind "{kind.name}" in version "{kind.api_version}": the cluster '
        f"{cluster.id} ({cluster.version}) does not serve it{_advice(cluster, kind)}"
    )


def is_namespaced(world: World, cluster: Cluster | None, kind: Kind) -> bool:
    """Return whether objects of the kind live in namespaces."""
    if resource_type(kind.token) is not None:
        return row(kind).get("scope") != "Cluster"
    for served in _all_rows(world, cluster):
        if _is(kind, served):
            return served.get("scope", "Namespaced") == "Namespaced"
    return True


def _is(kind: Kind, served: dict[str, Any]) -> bool:
    return (
        kind.group == served["group"]
        and kind.version in served["versions"]
        and kind.name in served["kinds"]
    )


def _rows(world: World, cluster: Cluster) -> Iterator[dict[str, Any]]:
    """Yield rows of kinds the cluster serves now."""
    for served in known()["installed"]:
        since = _number(served.get("since", ""))
        if _has(cluster, served["needs"]) and _number(cluster.version) >= since:
            yield served
    for release in world.by_type(RELEASE, scope=cluster.id):
        chart = str(release.inputs.get("chart", "")).rstrip("/").rsplit("/", 1)[-1]
        yield from known()["charts"].get(chart, [])
    yield from _defined(world, cluster)


def _all_rows(world: World, cluster: Cluster | None) -> Iterator[dict[str, Any]]:
    """Yield rows of kinds that may be served one day: for a preview, before the cluster exists."""
    yield from known()["installed"]
    for rows in known()["charts"].values():
        yield from rows
    if cluster is not None:
        yield from _defined(world, cluster)


def _defined(world: World, cluster: Cluster) -> Iterator[dict[str, Any]]:
    for definition in world.by_type(DEFINITION, scope=cluster.id):
        spec: Any = definition.inputs.get("spec", {})
        yield {
            "group": spec.get("group"),
            "versions": [v["name"] for v in spec.get("versions", []) if v.get("served", True)],
            "kinds": [spec.get("names", {}).get("kind")],
            "scope": spec.get("scope", "Namespaced"),
        }


def _has(cluster: Cluster, need: str) -> bool:
    match need:
        case "gateway":
            channel = cluster.feature("gatewayApiConfig", "channel")
            return channel == "CHANNEL_STANDARD" or bool(cluster.feature("enableAutopilot"))
        case "secret_manager":
            return bool(cluster.feature("secretManagerConfig", "enabled"))
        case "prometheus":
            managed = cluster.feature("monitoringConfig", "managedPrometheus", "enabled")
            return managed is not False
        case _:
            return True


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBERS.findall(version))


def _advice(cluster: Cluster, kind: Kind) -> str:
    for served in known()["installed"]:
        if _is(kind, served):
            if not _has(cluster, served["needs"]):
                return f"; it comes with the cluster feature '{served['needs']}', which is off"
            return f"; GKE installs it from {served['since']} on"
    return "; install its CustomResourceDefinition first"
