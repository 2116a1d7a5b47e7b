"""All GPUs of the stack together stay within a budget."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NumberLimit
from policies.rules.gpus import GpuDemand, gpu_demand
from policies.rules.peek import Absence, show
from policies.rules.rule import Resource, StackFinding, StackRule

_LARGEST: Final = 5


def _total(demands: Sequence[GpuDemand]) -> float:
    """The sum, where a cluster's limit and its pools count once, by the larger of the two."""
    pools: defaultdict[tuple[object, object], float] = defaultdict(float)
    limits: defaultdict[tuple[object, object], float] = defaultdict(float)
    rest = 0.0
    for demand in demands:
        if isinstance(demand.count, Absence):
            continue
        if demand.cluster is None:
            rest += demand.count
        else:
            part = limits if demand.cluster_limit else pools
            part[demand.cluster, demand.type] += demand.count
    return rest + sum(max(pools[key], limits[key]) for key in {*pools, *limits})


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    cap = limits.number("maxGpus")
    found = [(resource, demand) for resource in resources for demand in gpu_demand(resource)]
    for resource, demand in found:
        if isinstance(demand.count, Absence):
            yield StackFinding("its number of GPUs is not known, so no total can be made", resource)
    total = _total([demand for _, demand in found])
    if total > cap:
        known = [
            (demand.count, resource.name, demand.type)
            for resource, demand in found
            if isinstance(demand.count, float)
        ]
        known.sort(key=lambda each: -each[0])
        largest = ", ".join(
            f"{name} {show(count)} {show(kind)}" for count, name, kind in known[:_LARGEST]
        )
        yield StackFinding(f"may take {show(total)} GPUs, allowed {show(cap)} (most: {largest})")


RULE: Final = StackRule(
    id="scale-gpu-total",
    display_name="GPUs of the stack are capped",
    description=(
        "All resources of the stack at their maxima have no more GPUs than the environment's "
        "budget."
    ),
    why="Pools that are each within their cap can together exceed the quota and the budget.",
    remediation="lower the maximum of a pool or service, or raise the budget in the policy config.",
    severity=Severity.HIGH,
    url="https://cloud.google.com/compute/resource-usage#gpu_quota",
    limits=(NumberLimit("maxGpus", "Most GPUs of all resources together"),),
    check=_check,
)
