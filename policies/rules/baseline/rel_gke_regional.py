"""The control plane and the nodes without GPUs stand in several zones.

Pools with GPUs are not asked: what a region has of a GPU is often in one zone.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.gpus import node_gpus
from resources.node_pools import ZONE
from resources.properties import entries, get, text
from resources.resource import Resource

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _POOL and node_gpus(get(resource.props, "nodeConfig")):
        return
    location = text(resource.props, "location")
    if isinstance(location, str) and ZONE.fullmatch(location):
        yield "is in one zone"
        return
    zones = entries(resource.props, "nodeLocations")
    if isinstance(zones, tuple) and len(zones) == 1:
        yield "has its nodes in one zone"


RULE: Final = ResourceRule(
    id="rel-gke-regional",
    display_name="Clusters are regional",
    description="A cluster is regional, and nodes without GPUs stand in two zones or more.",
    why="A zonal control plane is away during each of its upgrades and with its zone.",
    remediation="set location to a region, and two or more zones in nodeLocations, or none.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters",
    applies=lambda resource_type: resource_type in (_CLUSTER, _POOL),
    check=_check,
)
