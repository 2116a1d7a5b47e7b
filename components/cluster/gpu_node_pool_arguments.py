"""Arguments of GpuNodePool, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Choice
from catalog.limits import gpu_pools as limits
from catalog.limits.names import KUBERNETES_LABEL_KEY, KUBERNETES_LABEL_VALUE
from catalog.machines import GPU_MACHINE_TYPES
from components.cluster import defaults
from components.validation import Problems

DRIVER_VERSIONS: Mapping[str, str] = {
    "default": "DEFAULT",
    "latest": "LATEST",
    "disabled": "INSTALLATION_DISABLED",
}
"""The API's value by ours."""


class Taint(TypedDict):
    """Keeps pods off the nodes that do not tolerate it."""

    key: Annotated[str, KUBERNETES_LABEL_KEY]
    value: Annotated[str, KUBERNETES_LABEL_VALUE]
    effect: Annotated[str, limits.TAINT_EFFECT]


class GpuNodePoolArgs(TypedDict):
    """Arguments of GpuNodePool."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the cluster, such as `us-central1`."""
    cluster: pulumi.Input[str]
    """Name of the cluster."""
    machine_type: Annotated[str, limits.MACHINE_TYPE]
    """Machine type with GPUs or TPUs, such as `g2-standard-8`; its GPUs come from the catalog."""
    capacity: Annotated[str, limits.CAPACITY]
    """How the nodes are bought."""
    min_nodes: Annotated[int, limits.MIN_NODES]
    """Fewest nodes in the whole region; 0 for flex-start."""
    max_nodes: Annotated[int, limits.MAX_NODES]
    """Most nodes in the whole region."""
    node_service_account: pulumi.Input[str]
    """Email of the nodes' service account."""
    node_locations: NotRequired[Sequence[str]]
    """Zones of the nodes; default: those of the region that sell the machine type. Needed for a
    reservation, which lives in a zone."""
    driver: NotRequired[Annotated[str, limits.DRIVER]]
    """NVIDIA driver GKE installs; disabled to install one's own."""
    disk_gib: NotRequired[Annotated[int, limits.BOOT_DISK_GIB]]
    """Size of the boot disk: room for a model server's image."""
    max_run_hours: NotRequired[Annotated[int | None, limits.MAX_RUN_HOURS]]
    """Life of a flex-start node."""
    reservation: NotRequired[Annotated[str | None, limits.RESERVATION]]
    """Name of the reservation, or `projects/<project>/reservations/<name>` of a shared one."""
    partition: NotRequired[Annotated[str | None, limits.PARTITION]]
    """Size of the partitions (MIG) that GKE divides each GPU into, such as `1g.10gb`; default:
    whole GPUs."""
    topology: NotRequired[Annotated[str | None, limits.TOPOLOGY]]
    """How the chips of TPUs are arranged, such as `4x4`; default: each node by itself. One of
    several nodes is a slice, a GKE node pool of its own, and node counts are multiples of its."""
    compact_placement: NotRequired[bool]
    """Whether nodes stand close to each other, for models that span nodes; default false."""
    rdma: NotRequired[bool]
    """Whether GKE sets up the machine's RDMA network and hands its interfaces to pods (managed
    DRANET); default false."""
    compute_class: NotRequired[Annotated[str, limits.COMPUTE_CLASS]]
    """Name of the compute class whose pods alone the nodes take; default: none."""
    labels: NotRequired[limits.NodeLabels]
    """Kubernetes labels of the nodes."""
    taints: NotRequired[Sequence[Taint]]
    """Kubernetes taints of the nodes, besides GKE's own for GPUs and TPUs."""


def validate_gpu_node_pool(name: str, args: GpuNodePoolArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(GpuNodePoolArgs, args)
    defaults.check_gke_name(problems, name)
    problems.extend(limits.gpu_pool(args))
    locations = args.get("node_locations", ())
    if args["capacity"] == "reservation" and not locations:
        problems.add(
            "node_locations",
            "found nothing; allowed: the zones the reservation is in; add them: nodes elsewhere "
            "would never start",
        )
    problems.extend(limits.one_zone(args, locations))
    machine = GPU_MACHINE_TYPES.get(args["machine_type"])
    if machine is not None:
        if not machine.zones_in(args["region"]):
            problems.check_limit(Choice(sorted(machine.regions)), args["region"], "region")
        problems.extend(limits.zones(machine, args["region"], locations), "node_locations")
    return problems


def zones_of(args: GpuNodePoolArgs) -> Sequence[str]:
    """Return the zones of the nodes: those asked for, else all that sell the machine type."""
    asked_for = args.get("node_locations")
    return asked_for or GPU_MACHINE_TYPES[args["machine_type"]].zones_in(args["region"])
