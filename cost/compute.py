"""GKE clusters and node pools."""

from collections.abc import Iterator, Mapping
from typing import Final

from catalog.machines import MACHINE_TYPES
from cost.model import Item
from cost.pricing import ONE, Bounds, Pricing, missing, unknown
from resources.node_pools import max_nodes
from resources.properties import UNKNOWN, Absence, entries, flag, get, number, show, text
from resources.resource import Resource
from resources.standing import standing_nodes
from resources.volumes import gib

# What GKE gives a node that does not say.
# https://cloud.google.com/kubernetes-engine/docs/concepts/node-pools
_DEFAULT_MACHINE: Final = "e2-medium"
_DEFAULT_DISK: Final = "pd-balanced"
_DEFAULT_DISK_GIB: Final = 100.0


def cluster(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the management fee, and the default node pool where the cluster keeps it."""
    yield pricing.line(resource, "cluster management", pricing.month("gke-cluster"), ONE)
    if flag(resource.props, "enableAutopilot") is True:
        yield missing(resource, "Autopilot bills by pod, and their number is not known here")
        return
    if flag(resource.props, "clusterAutoscaling", "enabled") in (True, UNKNOWN):
        yield missing(resource, "auto-provisioning makes node pools that are not known here")
    if flag(resource.props, "removeDefaultNodePool") is not True:
        yield from node_pool(resource, pricing, standing_nodes([resource]))


def node_pool(
    resource: Resource, pricing: Pricing, standing: Mapping[str, float]
) -> Iterator[Item]:
    """Yield nodes with their GPUs and boot disks, from those standing, by the URN of their pool, to
    the most the pool may have."""
    most = max_nodes(resource.props)
    if isinstance(most, Absence):
        yield unknown(resource, "the number of nodes", most)
        return
    nodes = Bounds(standing.get(resource.urn, 0.0), most)
    config = get(resource.props, "nodeConfig")
    yield _machines(resource, pricing, config, nodes)
    yield _boot_disks(resource, pricing, config, nodes)
    if _has_attached_gpus(config):
        yield missing(resource, "there is no price for GPUs attached to a machine")


def _machines(resource: Resource, pricing: Pricing, config: object, nodes: Bounds) -> Item:
    machine_type = text(config, "machineType")
    if machine_type is UNKNOWN:
        return unknown(resource, "the machine type", UNKNOWN)
    name = machine_type if isinstance(machine_type, str) else _DEFAULT_MACHINE
    capacity = _capacity(config)
    what = f"{show(name)} nodes, {capacity}"
    return pricing.line(resource, what, pricing.machine(name, capacity), nodes)


def claims(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the disks that claims of Kubernetes make, at the price of the default class."""
    for size in gib(resource.type, resource.props):
        if isinstance(size, Absence):
            yield unknown(resource, "the storage", size)
        else:
            yield pricing.line(resource, "claims", pricing.month(_DEFAULT_DISK), Bounds(size, size))


def _capacity(config: object) -> str:
    if flag(config, "spot") is True or flag(config, "preemptible") is True:
        return "spot"
    return "flex-start" if flag(config, "flexStart") is True else "on-demand"


def _boot_disks(resource: Resource, pricing: Pricing, config: object, nodes: Bounds) -> Item:
    # One disk under two names: what one of them leaves to the provider, the other may say.
    sizes = [number(config, "bootDisk", "sizeGb"), number(config, "diskSizeGb")]
    kinds = [text(config, "bootDisk", "diskType"), text(config, "diskType")]
    size = next((each for each in sizes if isinstance(each, float)), max(sizes, key=_is_unknown))
    kind = next((each for each in kinds if isinstance(each, str)), max(kinds, key=_is_unknown))
    if size is UNKNOWN or kind is UNKNOWN:
        return unknown(resource, "the boot disk", UNKNOWN)
    gib = size if isinstance(size, float) else _DEFAULT_DISK_GIB
    disk = kind if isinstance(kind, str) else _DEFAULT_DISK
    return pricing.line(resource, "boot disks", pricing.month(disk), nodes.times(gib))


def _is_unknown(value: object) -> bool:
    return value is UNKNOWN


def _has_attached_gpus(config: object) -> bool:
    machine = text(config, "machineType")
    known = MACHINE_TYPES.get(machine) if isinstance(machine, str) else None
    if known is not None and known.gpu_count:
        return False
    accelerators = entries(config, "guestAccelerators")
    return isinstance(accelerators, tuple) and bool(accelerators)
