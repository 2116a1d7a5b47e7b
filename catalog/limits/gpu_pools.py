"""Limits of node pools with GPUs or TPUs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, get_args

from catalog.limits import Choice, Range, Text
from catalog.limits.names import KUBERNETES_LABEL_KEY, KUBERNETES_LABEL_VALUE, PROJECT
from catalog.machines import CAPACITIES, GPU_MACHINE_TYPES, MachineType
from catalog.problems import Problem, in_order, joined, shown
from catalog.words import plural

Driver = Literal["default", "latest", "disabled"]
TaintEffect = Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"]

LONGEST_NAME: Final = 40
"""Of clusters and node pools; https://cloud.google.com/kubernetes-engine/quotas"""
MACHINE_TYPE: Final = Choice(
    tuple(sorted(GPU_MACHINE_TYPES)), remedy="choose a machine type with GPUs or TPUs"
)
CAPACITY: Final = Choice(CAPACITIES)
COMPUTE_CLASS: Final = Text(
    r"(?!gke|autopilot)[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "1 to 63 lowercase letters, digits or hyphens, a letter first, no hyphen last, that don't begin"
    " with gke or autopilot",
    "rename it",
)
"""https://cloud.google.com/kubernetes-engine/docs/concepts/about-custom-compute-classes#limitations"""
DRIVER: Final = Choice(get_args(Driver), default="default")
TAINT_EFFECT: Final = Choice(get_args(TaintEffect))
MIN_NODES: Final = Range(0, 1000, "nodes")
MAX_NODES: Final = Range(1, 1000, "nodes")
BOOT_DISK_GIB: Final = Range(50, 65536, "GiB", default=200)
MAX_RUN_HOURS: Final = Range(1, 168, "hours", default=168)
"""https://cloud.google.com/kubernetes-engine/docs/concepts/dws"""
RESERVATION: Final = Text(
    f"(?:projects/{PROJECT}/reservations/)?[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?",
    "a reservation's name, or projects/<project>/reservations/<name> of a shared one",
    "`gcloud compute reservations list` shows the names",
)
PARTITION: Final = Text(
    r"[1-7]g\.[1-9]\d*gb",
    "a size of NVIDIA's multi-instance GPUs",
    "write it like 1g.10gb",
)
TOPOLOGY: Final = Text(
    r"[1-9]\d*(?:x[1-9]\d*){1,2}",
    "how the chips of TPUs are arranged",
    "write it like 2x4",
)
_OWN: Final = r"(?:[^/]*\.)?(?:kubernetes\.io|k8s\.io|gke\.io|google\.com|nvidia\.com)/"
TAINT_KEY: Final = Text(
    rf"(?!{_OWN}){KUBERNETES_LABEL_KEY.pattern}",
    "a Kubernetes label key outside the domains of Kubernetes, GKE and NVIDIA, whose taints are"
    " theirs",
    "write it like team or acme.com/team",
)
NODE_LABEL_KEY: Final = Text(
    r"(?!(?:[^/]*\.)?(?:kubernetes|k8s)\.io/|cloud\.google\.com/(?:gke-|compute-class$))"
    rf"{KUBERNETES_LABEL_KEY.pattern}",
    "a Kubernetes label key outside kubernetes.io, k8s.io, cloud.google.com/gke- and"
    " cloud.google.com/compute-class, which Kubernetes and GKE set",
    "write it like team or acme.com/team",
)
NodeLabels = Mapping[Annotated[str, NODE_LABEL_KEY], Annotated[str, KUBERNETES_LABEL_VALUE]]


def gpu_pool(pool: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit together in the settings of a pool, each fine alone."""
    machine = GPU_MACHINE_TYPES.get(pool["machine_type"])
    capacity, least, most = pool["capacity"], pool["min_nodes"], pool["max_nodes"]
    flexible, reserved = capacity == "flex-start", capacity == "reservation"
    if machine is not None and capacity in set(CAPACITIES) - machine.capacities:
        yield Problem(
            ("capacity",),
            shown(capacity),
            f"{joined(machine.capacities)} (how {machine.name} is sold)",
            "change the capacity or the machine type",
        )
    yield from in_order(min_nodes=least, max_nodes=most)
    if flexible and least:
        yield Problem(
            ("min_nodes",),
            shown(least),
            "0 with capacity flex-start",
            "set it to 0: flex-start nodes only come for waiting pods",
        )
    if not flexible and pool.get("max_run_hours") is not None:
        yield Problem(
            ("max_run_hours",),
            shown(pool["max_run_hours"]),
            "nothing unless capacity is flex-start",
            "remove it",
        )
    if reserved and not pool.get("reservation"):
        yield Problem(
            ("reservation",),
            "nothing",
            "the name of a reservation with capacity reservation",
            "add it: `gcloud compute reservations list` shows them",
        )
    if not reserved and pool.get("reservation"):
        yield Problem(
            ("reservation",),
            shown(pool["reservation"]),
            "nothing unless capacity is reservation",
            "remove it or set capacity: reservation",
        )
    partition = pool.get("partition")
    if machine is not None and partition is not None and partition not in machine.partitions:
        yield Problem(
            ("partition",),
            f"{shown(partition)} with {machine.name}",
            joined(machine.partitions)
            if machine.partitions
            else f"nothing: {machine.gpu_type} stays whole",
            "change it or the machine type, or remove it",
        )
    if machine is not None:
        yield from _tpus(machine, pool)
    if machine is not None and pool.get("rdma") and not machine.rdma_interfaces:
        having = [name for name, each in GPU_MACHINE_TYPES.items() if each.rdma_interfaces]
        yield Problem(
            ("rdma",),
            f"true with {machine.name}",
            f"machine types with an RDMA network: {joined(having)}",
            "remove it or change the machine type",
        )


def slice_nodes(pool: Mapping[str, Any]) -> int:
    """Return the nodes that are one slice of TPUs: 1 where each node stands for itself."""
    machine, topology = GPU_MACHINE_TYPES.get(pool["machine_type"]), pool.get("topology")
    if machine is None or topology is None or topology not in machine.topologies:
        return 1
    return machine.nodes_of(topology)


def _tpus(machine: MachineType, pool: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not go with TPUs, or with GPUs."""
    topology = pool.get("topology")
    if topology is not None and topology not in machine.topologies:
        yield Problem(
            ("topology",),
            f"{shown(topology)} with {machine.name}",
            joined(machine.topologies) if machine.is_tpu else f"nothing: {machine.name} has GPUs",
            "change it or the machine type, or remove it",
        )
        return
    if not machine.is_tpu:
        return
    for key, value in (("driver", DRIVER.default), ("compact_placement", False)):
        if pool.get(key, value) != value:
            yield Problem(
                (key,),
                f"{shown(pool[key])} with {machine.name}",
                "nothing with TPUs: GKE brings their driver, and their topology places them",
                "remove it",
            )
    nodes = slice_nodes(pool)
    for key in ("min_nodes", "max_nodes"):
        if pool[key] % nodes:
            yield Problem(
                (key,),
                f"{pool[key]} with topology {topology}",
                f"a multiple of {nodes}, the {machine.name} of one slice: it comes and goes whole",
                "change it or the topology",
            )


def one_zone(pool: Mapping[str, Any], zones: Sequence[str]) -> Iterator[Problem]:
    """Yield zones of a pool in which its nodes cannot stand as close as they have to."""
    for key in ("compact_placement", "topology"):
        close = slice_nodes(pool) > 1 if key == "topology" else pool.get(key)
        if close and len(zones) != 1:
            yield Problem(
                (key,),
                f"{shown(pool[key])} with {plural(len(zones), 'zone')}",
                f"{shown(pool[key])} with one zone: nodes of several cannot stand close to each"
                " other",
                "name the zone",
            )


def zones(machine: MachineType, region: str, chosen: Sequence[str]) -> Iterator[Problem]:
    """Yield the chosen zones in which the region does not sell the machine, or that come again."""
    sold = machine.zones_in(region)
    for position, zone in enumerate(chosen):
        if sold and zone not in sold:
            yield Problem(
                (position,),
                shown(zone),
                f"{joined(sold)} (zones of {region} that sell {machine.name})",
                "choose one of them",
            )
        elif zone in chosen[:position]:
            yield Problem((position,), f"{shown(zone)} again", "each zone once", "remove it")
