"""The GPUs that a plan needs quota for: by region and type, with everything scaled out."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from policies.shared.gpu_totals import region_of, total
from policies.shared.zones import with_zones
from resources.gpus import GpuDemand
from resources.properties import Absence, flag, show
from resources.resource import Resource, Stack
from resources.templates import stack_demand

_CAPACITIES: Final = {
    "spot": "preemptible",
    "preemptible": "preemptible",
    "flexStart": "flex-start",
}


@dataclass(frozen=True)
class Need:
    """The most GPUs of one type in one region, before and after; None where it isn't known."""

    region: str
    type: str
    capacity: str
    before: float | None
    after: float | None


def needs(before: Stack, after: Stack) -> list[Need]:
    """Return what is needed of each type, most first."""
    then, now = _demands(before), _demands(after)
    found = [
        Need(*key, _count(then.get(key, [])), _count(now.get(key, []))) for key in {**then, **now}
    ]
    return sorted(found, key=lambda need: (-(need.after or 0), need.region, need.type))


def _demands(stack: Stack) -> Mapping[tuple[str, str, str], list[GpuDemand]]:
    found: defaultdict[tuple[str, str, str], list[GpuDemand]] = defaultdict(list)
    for resource, demand in stack_demand(Stack(with_zones(stack))):
        kind = demand.type if isinstance(demand.type, str) else None
        key = (region_of(resource) or "-", show(kind) if kind else "GPU", capacity(resource))
        found[key].append(demand)
    return found


def _count(demands: list[GpuDemand]) -> float | None:
    return None if any(isinstance(each.count, Absence) for each in demands) else total(demands)


def capacity(resource: Resource) -> str:
    """Return which quota: preemptible GPUs have one of their own."""
    for switch, name in _CAPACITIES.items():
        if flag(resource.props, "nodeConfig", switch) is True:
            return name
    return "standard"
