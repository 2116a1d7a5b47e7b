"""A GPU node pool keeps no node when there is no work."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.gpus import gpu_demand
from resources.node_pools import min_nodes
from resources.properties import Absence, show
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if not gpu_demand(resource):
        return
    least = min_nodes(resource.props)
    if isinstance(least, Absence):
        yield f"its minimum of nodes is {least.value}"
    elif least > 0:
        yield f"keeps {show(least)} GPU nodes"


RULE: Final = ResourceRule(
    id="scale-gpu-pool-zero-min",
    display_name="GPU pools scale to zero",
    description="A GPU node pool has a minimum of zero nodes.",
    why="An idle GPU node is the most expensive thing that does nothing.",
    remediation="set autoscaling.totalMinNodeCount or minNodeCount to 0.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/cluster-autoscaler",
    applies=lambda resource_type: resource_type == "gcp:container/nodePool:NodePool",
    check=_check,
)
