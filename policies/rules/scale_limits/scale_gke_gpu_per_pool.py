"""No GKE node pool takes more GPUs than a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.gpus import CLUSTER, NODE_POOL, gpu_demand
from resources.node_pools import max_nodes
from resources.properties import Absence, number, show, text
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxGpus")
    for demand in gpu_demand(resource):
        if demand.cluster_limit:
            continue
        if isinstance(demand.count, Absence):
            yield f"its number of GPUs is not known during preview, allowed {show(cap)}"
        elif demand.count > cap:
            yield f"may take {show(demand.count)} {show(demand.type)} GPUs, allowed {show(cap)}"
        else:
            # Nodes that an upgrade adds, for as long as it takes.
            nodes = max_nodes(resource.props)
            surge = number(resource.props, "upgradeSettings", "maxSurge")
            if text(resource.props, "upgradeSettings", "strategy") == "BLUE_GREEN":
                # A whole second pool stands beside the first.
                surge = nodes
            if isinstance(nodes, float | int) and nodes and isinstance(surge, float) and surge > 1:
                most = demand.count * (nodes + surge) / nodes
                if most > cap:
                    yield f"may take {show(most)} GPUs in an upgrade, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-gke-gpu-per-pool",
    display_name="GPUs per node pool are capped",
    description="A GKE node pool at its maximum has no more GPUs than the cap.",
    why=(
        "GPUs are the largest cost of the platform, and a pool that takes them all starves the "
        "rest."
    ),
    remediation="lower autoscaling.totalMaxNodeCount or choose a machine type with fewer GPUs.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/gpus",
    limits=(NumberLimit("maxGpus", "Most GPUs of one node pool at its maximum"),),
    applies=lambda resource_type: resource_type in (NODE_POOL, CLUSTER),
    check=_check,
)
