"""No GKE node pool grows without a bound."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.gpus import CLUSTER, NODE_POOL
from resources.node_pools import max_nodes, zones
from resources.properties import MISSING, Absence, flag, get, number, show
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxNodes")
    if resource.type == CLUSTER:
        if flag(resource.props, "enableAutopilot") is True:
            return
        if get(resource.props, "nodePools") is not MISSING:
            yield "has node pools written inside it, whose bounds no rule follows"
        if flag(resource.props, "removeDefaultNodePool") is True:
            return
    nodes = max_nodes(resource.props)
    if isinstance(nodes, Absence):
        yield f"its maximum of nodes is {nodes.value}, allowed {show(cap)}"
    elif nodes > cap:
        yield f"may grow to {show(nodes, 'node')} over its zones, allowed {show(cap)}"
    else:
        first = number(resource.props, "initialNodeCount")
        if isinstance(first, float) and first * zones(resource.props) > cap:
            yield f"begins with {show(first, 'node')} in each zone, allowed {show(cap)} over all"
        surge = number(resource.props, "upgradeSettings", "maxSurge")
        if isinstance(surge, float) and nodes + surge > max(cap, nodes + 1):
            yield f"an upgrade may add {show(surge, 'node')}, above the {show(cap)} allowed"


RULE: Final = ResourceRule(
    id="scale-gke-pool-bounded",
    display_name="GKE node pools are bounded",
    description="Every GKE node pool states a maximum of nodes within the cap.",
    why="An unbounded pool buys nodes for every pod that does not fit.",
    remediation=(
        "make each pool a NodePool with autoscaling.totalMaxNodeCount, a plain number within the "
        "cap (maxNodeCount and nodeCount count per zone), and set removeDefaultNodePool on the "
        "cluster."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler",
    limits=(NumberLimit("maxNodes", "Most nodes of one node pool, over all its zones"),),
    applies=lambda resource_type: resource_type in (NODE_POOL, CLUSTER),
    check=_check,
)
