"""The quota a deployment needs: by region, zones, type and metric, at the least and at the most."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from catalog import quotas
from catalog.machines import MACHINE_TYPES
from plans.quota import capacity
from policies.shared.gpu_totals import region_of
from resources.gpus import NODE_POOL
from resources.node_pools import max_nodes
from resources.properties import entries, number, text
from resources.resource import Resource
from resources.standing import standing_nodes

_ADDRESSES: Final[Mapping[str, tuple[str, str]]] = {
    # Internal, external. A type that isn't said is external.
    "gcp:compute/address:Address": ("INTERNAL_ADDRESSES", "STATIC_ADDRESSES"),
    "gcp:compute/globalAddress:GlobalAddress": ("GLOBAL_INTERNAL_ADDRESSES", "STATIC_ADDRESSES"),
}
# What GKE gives a node that does not say.
_DEFAULT_DISK: Final = ("pd-balanced", 100.0)


@dataclass(frozen=True)
class Need:
    """What counts against one metric; `most` is None where it isn't known in a preview."""

    region: str
    zones: str
    type: str
    metric: str
    least: float
    most: float | None


def needs(resources: Iterable[Resource]) -> list[Need]:
    """Return what is needed of each metric, by where and what it is."""
    given = list(resources)
    standing = standing_nodes(given)
    found: defaultdict[tuple[str, str, str, str], list[Need]] = defaultdict(list)
    for each in given:
        for need in _needs(each, standing):
            found[need.region, need.metric, need.type, need.zones].append(need)
    return [_sum(some) for _, some in sorted(found.items())]


def by_metric(found: Iterable[Need]) -> list[Need]:
    """Return the needs of each region and metric, whatever the type and the zones."""
    sums: defaultdict[tuple[str, str], list[Need]] = defaultdict(list)
    for each in found:
        sums[each.region, each.metric].append(each)
    return [
        Need(
            region,
            "",
            ", ".join(dict.fromkeys(each.type for each in some)),
            *_numbers(metric, some),
        )
        for (region, metric), some in sorted(sums.items())
    ]


def _numbers(metric: str, some: list[Need]) -> tuple[str, float, float | None]:
    total = _sum(some)
    return metric, total.least, total.most


def _sum(some: list[Need]) -> Need:
    first, known = some[0], [each.most for each in some if each.most is not None]
    return Need(
        *(first.region, first.zones, first.type, first.metric),
        sum(each.least for each in some),
        sum(known) if len(known) == len(some) else None,
    )


def _needs(resource: Resource, standing: Mapping[str, float]) -> Iterator[Need]:
    if resource.type == NODE_POOL:
        yield from _nodes(resource, standing[resource.urn])
    elif resource.type in _ADDRESSES:
        internal, external = _ADDRESSES[resource.type]
        is_internal = text(resource.props, "addressType") == "INTERNAL"
        metric = internal if is_internal else external
        yield Need(region_of(resource) or "global", "", "address", metric, 1.0, 1.0)


def _nodes(pool: Resource, fewest: float) -> Iterator[Need]:
    """Yield what the nodes of a pool count against: GPUs, CPUs, boot disks and local SSDs."""
    most = max_nodes(pool.props)
    region, zones = region_of(pool) or "not known yet", _zones(pool)
    preemptible = capacity(pool) != "standard"
    for kind, quota, each in _of_a_node(pool):
        yield Need(
            *(region, zones, kind, quota.metric(preemptible=preemptible)),
            fewest * each,
            most * each if isinstance(most, float) else None,
        )


def _of_a_node(pool: Resource) -> Iterator[tuple[str, quotas.Quota, float]]:
    name = text(pool.props, "nodeConfig", "machineType")
    machine = MACHINE_TYPES.get(name) if isinstance(name, str) else None
    if machine is not None:
        if machine.gpu_type in quotas.GPUS:
            yield machine.gpu_type, quotas.GPUS[machine.gpu_type], machine.gpu_count
        if not machine.is_tpu:
            yield machine.name, quotas.cpus(machine.series), machine.vcpus
        if machine.local_ssd_count:
            size = machine.local_ssd_count * quotas.LOCAL_SSD_GB
            yield "local-ssd", quotas.DISKS["local-ssd"], size
    kind, size = (
        text(pool.props, "nodeConfig", "diskType"),
        number(pool.props, "nodeConfig", "diskSizeGb"),
    )
    disk = kind if isinstance(kind, str) else _DEFAULT_DISK[0]
    if disk in quotas.DISKS:
        yield disk, quotas.DISKS[disk], size if isinstance(size, float) else _DEFAULT_DISK[1]


def _zones(pool: Resource) -> str:
    found = entries(pool.props, "nodeLocations")
    letters = [str(each).rpartition("-")[2] for each in found] if isinstance(found, tuple) else []
    return ", ".join(sorted(letters)) or "cluster's"
