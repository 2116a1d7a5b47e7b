"""All GPUs of the stack stay within a budget: together, in each region and of each type."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.gpu_totals import region_of, total
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import StackFinding, StackRule
from policies.shared.zones import with_zones
from resources.gpus import GpuDemand
from resources.properties import Absence, show
from resources.resource import Resource, Stack
from resources.templates import stack_demand

_LARGEST: Final = 3
_Found = tuple[Resource, GpuDemand]


def _parts(found: Sequence[_Found]) -> Iterator[tuple[str, str, Sequence[_Found]]]:
    """Yield what each limit counts. What is not known to be elsewhere, or another type, counts
    too."""
    yield "maxGpus", "GPUs", found
    for place in sorted({region_of(each) for each, _ in found} - {None}, key=str):
        here = [row for row in found if region_of(row[0]) in (place, None)]
        yield "maxGpusPerRegion", f"GPUs in {place}", here
    for kind in sorted({each.type for _, each in found if isinstance(each.type, str)}):
        alike = [row for row in found if row[1].type == kind or isinstance(row[1].type, Absence)]
        yield "maxGpusPerType", f"GPUs of type {show(kind)}", alike


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    found = list(stack_demand(Stack(with_zones(resources))))
    for resource, demand in found:
        if isinstance(demand.count, Absence):
            yield StackFinding("its number of GPUs is not known, so no total can be made", resource)
    for limit, what, part in _parts(found):
        together, cap = total([demand for _, demand in part]), limits.number(limit)
        if together > cap:
            most = f"most: {_largest(part)}"
            yield StackFinding(f"may take {show(together)} {what}, allowed {show(cap)} ({most})")


def _largest(found: Sequence[_Found]) -> str:
    known = [
        (demand.count, resource.name, demand.type)
        for resource, demand in found
        if isinstance(demand.count, float)
    ]
    known.sort(key=lambda each: -each[0])
    return ", ".join(f"{name} {show(count)} {show(kind)}" for count, name, kind in known[:_LARGEST])


RULE: Final = StackRule(
    id="scale-gpu-total",
    display_name="GPUs of the stack are capped",
    description=(
        "All resources of the stack at their maxima have no more GPUs than the environment's "
        "budget, together, in each region and of each type."
    ),
    why="Pools that are each within their cap can together exceed the quota and the budget.",
    remediation="lower the maximum of a pool or service, or raise the budget in the policy config.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/compute/resource-usage#gpu_quota",
    limits=(
        NumberLimit("maxGpus", "Most GPUs of all resources together"),
        NumberLimit("maxGpusPerRegion", "Most GPUs of all resources in one region"),
        NumberLimit("maxGpusPerType", "Most GPUs of one type"),
    ),
    check=_check,
)
