"""Arguments of GpuNodePool, and what is allowed in them."""

import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from catalog.machines import CAPACITIES, GPU_MACHINE_TYPES, MachineType
from components.checks import check_between, check_labels
from components.cluster import defaults
from components.validation import Problems

DRIVER_VERSIONS: Mapping[str, str] = {
    "default": "DEFAULT",
    "latest": "LATEST",
    "disabled": "INSTALLATION_DISABLED",
}
"""The API's value by ours."""

TAINT_EFFECTS = ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE")

LONGEST_FLEX_START_SECONDS = 7 * 24 * 3600
"""https://cloud.google.com/kubernetes-engine/docs/concepts/dws"""
_SHORTEST_FLEX_START_SECONDS = 600

_MOST_NODES = 1000
_RESERVATION = re.compile(
    r"(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/reservations/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
_NODE_LABEL_KEY = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
_NODE_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_KUBERNETES_LABEL = re.compile(r"([^/]*\.)?(kubernetes|k8s)\.io/.*")


class Taint(TypedDict):
    """Keeps pods off the nodes that do not tolerate it."""

    key: str
    value: str
    effect: str
    """NO_SCHEDULE, PREFER_NO_SCHEDULE or NO_EXECUTE."""


class GpuNodePoolArgs(TypedDict):
    """Arguments of GpuNodePool."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the cluster, such as `us-central1`."""
    cluster: pulumi.Input[str]
    """Name of the cluster."""
    machine_type: str
    """Machine type with GPUs, such as `g2-standard-8`; its GPUs come from the catalog."""
    capacity: str
    """How the nodes are bought: on-demand, spot, flex-start or reservation."""
    min_nodes: int
    """Fewest nodes in the whole region; 0 for flex-start."""
    max_nodes: int
    """Most nodes in the whole region."""
    node_service_account: pulumi.Input[str]
    """Email of the nodes' service account."""
    node_locations: NotRequired[Sequence[str]]
    """Zones of the nodes; default: those of the region that sell the machine type. Needed for a
    reservation, which lives in a zone."""
    driver_version: NotRequired[str]
    """NVIDIA driver GKE installs: default, latest, or disabled to install one's own."""
    disk_gib: NotRequired[int]
    """Size of the boot disk in GiB; default 200, room for a model server's image."""
    disk_type: NotRequired[str]
    """Type of the boot disk; default: the catalog's for the machine type."""
    max_run_seconds: NotRequired[int]
    """Life of a flex-start node in seconds, 10 minutes to 7 days; default 7 days."""
    reservation: NotRequired[str]
    """Name of the reservation, or `projects/<project>/reservations/<name>` of a shared one."""
    compact_placement: NotRequired[bool]
    """Whether nodes stand close to each other, for models that span nodes; default false."""
    rdma: NotRequired[bool]
    """Whether GKE sets up the machine's RDMA network and hands its interfaces to pods (managed
    DRANET); default false."""
    node_labels: NotRequired[Mapping[str, str]]
    """Kubernetes labels of the nodes."""
    taints: NotRequired[Sequence[Taint]]
    """Kubernetes taints of the nodes, besides GKE's own nvidia.com/gpu."""
    labels: NotRequired[Mapping[str, str]]
    """Google Cloud labels of the nodes."""


def validate_gpu_node_pool(name: str, args: GpuNodePoolArgs) -> Problems:
    """Checks the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems()
    defaults.check_gke_name(problems, name)
    machine = GPU_MACHINE_TYPES.get(args["machine_type"])
    if machine is None:
        problems.check_one_of("machine_type", args["machine_type"], GPU_MACHINE_TYPES)
    else:
        _check_machine(problems, args, machine)
    problems.check_one_of("capacity", args["capacity"], CAPACITIES)
    _check_capacity(problems, args)
    _check_size(problems, args)
    problems.check_one_of("driver_version", args.get("driver_version"), DRIVER_VERSIONS)
    check_between(problems, "disk_gib", args.get("disk_gib", 200), 50, 65536, "GiB")
    _check_node_labels(problems, args.get("node_labels", {}))
    for index, taint in enumerate(args.get("taints", ())):
        problems.check_one_of(f"taints[{index}].effect", taint["effect"], TAINT_EFFECTS)
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


def zones_of(args: GpuNodePoolArgs) -> Sequence[str]:
    """Gives the zones of the nodes: those asked for, else all that sell the machine type."""
    asked_for = args.get("node_locations")
    return asked_for or GPU_MACHINE_TYPES[args["machine_type"]].zones_in(args["region"])


def disk_types(machine: MachineType) -> tuple[str, ...]:
    """Gives the boot disk types of a machine type: the newest take Hyperdisk only."""
    if machine.boot_disk_type.startswith("hyperdisk-"):
        return (machine.boot_disk_type,)
    return ("pd-balanced", "pd-ssd", "pd-standard")


def _check_machine(problems: Problems, args: GpuNodePoolArgs, machine: MachineType) -> None:
    capacity = args["capacity"]
    if capacity in CAPACITIES and capacity not in machine.capacities:
        problems.add(
            "capacity",
            f"found {capacity!r}, allowed for {machine.name}: "
            f"{', '.join(sorted(machine.capacities))}",
        )
    if args.get("rdma", False) and not machine.rdma_interfaces:
        with_rdma = [name for name, each in GPU_MACHINE_TYPES.items() if each.rdma_interfaces]
        problems.add(
            "rdma",
            f"found true with {machine.name}, allowed for {', '.join(sorted(with_rdma))}; "
            "remove it or change the machine type",
        )
    sold_in = machine.zones_in(args["region"])
    if not sold_in:
        problems.add(
            "region",
            f"found {args['region']!r}, allowed for {machine.name}: {', '.join(machine.regions)}",
        )
    for index, zone in enumerate(args.get("node_locations", ())):
        if sold_in and zone not in sold_in:
            problems.add(
                f"node_locations[{index}]",
                f"found {zone!r}, allowed for {machine.name} in {args['region']}: "
                f"{', '.join(sold_in)}",
            )
    problems.check_one_of("disk_type", args.get("disk_type"), disk_types(machine))


def _check_capacity(problems: Problems, args: GpuNodePoolArgs) -> None:
    capacity = args["capacity"]
    reservation = args.get("reservation")
    if capacity == "reservation":
        if not reservation:
            problems.add(
                "reservation",
                "found none, allowed: the name of a reservation; capacity 'reservation' takes its "
                "nodes from one",
            )
        if not args.get("node_locations"):
            problems.add(
                "node_locations",
                "found none, allowed: the zones the reservation is in; nodes elsewhere would "
                "never start",
            )
    elif reservation:
        problems.add(
            "reservation",
            f"found {reservation!r} with capacity {capacity!r}, allowed: with capacity "
            "'reservation'; change the capacity or leave the reservation out",
        )
    if reservation and not _RESERVATION.fullmatch(reservation):
        problems.add(
            "reservation",
            f"found {reservation!r}, allowed: a reservation's name, or "
            "projects/<project>/reservations/<name>",
        )
    max_run_seconds = args.get("max_run_seconds")
    if capacity == "flex-start":
        if args["min_nodes"] != 0:
            problems.add(
                "min_nodes",
                f"found {args['min_nodes']} with capacity 'flex-start', allowed: 0; nodes start "
                "when a pod asks for them",
            )
        if max_run_seconds is not None:
            check_between(
                problems,
                "max_run_seconds",
                max_run_seconds,
                _SHORTEST_FLEX_START_SECONDS,
                LONGEST_FLEX_START_SECONDS,
                "seconds",
            )
    elif max_run_seconds is not None:
        problems.add(
            "max_run_seconds",
            f"found {max_run_seconds} with capacity {capacity!r}, allowed: with capacity "
            "'flex-start'; leave it out, or models would stop at that age",
        )


def _check_size(problems: Problems, args: GpuNodePoolArgs) -> None:
    least, most = args["min_nodes"], args["max_nodes"]
    check_between(problems, "min_nodes", least, 0, _MOST_NODES, "nodes")
    check_between(problems, "max_nodes", most, 1, _MOST_NODES, "nodes")
    if least > most:
        problems.add("min_nodes", f"found {least}, allowed: up to max_nodes, {most}")
    if args.get("compact_placement", False):
        zones = args.get("node_locations", ())
        if len(zones) != 1:
            problems.add(
                "node_locations",
                f"found {len(zones)} zones with compact_placement, allowed: 1; nodes of several "
                "zones cannot stand close to each other",
            )


def _check_node_labels(problems: Problems, labels: Mapping[str, str]) -> None:
    for key, value in labels.items():
        if _KUBERNETES_LABEL.fullmatch(key):
            problems.add(
                f"node_labels.{key}",
                f"found key {key!r}, allowed: keys outside kubernetes.io and k8s.io, which are "
                "Kubernetes' own",
            )
        elif not _NODE_LABEL_KEY.fullmatch(key):
            problems.add(
                f"node_labels.{key}", f"found key {key!r}, allowed: a Kubernetes label key"
            )
        if not _NODE_LABEL_VALUE.fullmatch(value):
            problems.add(
                f"node_labels.{key}",
                f"found {value!r}, allowed: up to 63 letters, digits, hyphens, underscores or "
                "dots, a letter or digit first and last",
            )
