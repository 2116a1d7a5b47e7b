"""Node pools with GPUs or TPUs: which machines, how they are bought, and how many at most."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import gpu_pools as limits
from catalog.limits import label
from catalog.limits.inference import MEMORY_GIB_PER_GPU, replica_memory_gib
from catalog.limits.names import KUBERNETES_LABEL_VALUE
from catalog.machines import GPU_MACHINE_TYPES, Gpu, MachineType, Partition
from config.fields import Settings

# Beside the weights, which are loaded by way of the node's memory.
_SERVER_GIB_PER_CHIP = 8
PoolName = Annotated[str, label(23, "with the environment it must fit a node pool's 40 characters")]


class Taint(Settings):
    """A Kubernetes taint on every node of the pool, beside GKE's own for GPUs."""

    key: Annotated[str, limits.TAINT_KEY]
    """Key of the taint."""
    value: Annotated[str, KUBERNETES_LABEL_VALUE]
    """Value of the taint; may be empty."""
    effect: limits.TaintEffect
    """What it does to pods that do not tolerate it."""


class GpuPool(Settings):
    """A GKE node pool in each of its regions. Node counts are totals for a region."""

    machine_type: Annotated[str, limits.MACHINE_TYPE]
    """Compute Engine machine type of the nodes."""
    capacity: Annotated[str, limits.CAPACITY]
    """How nodes are bought: on demand, as preemptible spot, queued with a limited run time
    (flex-start), or from a reservation."""
    min_nodes: Annotated[int, limits.MIN_NODES]
    """Nodes that always run, in each region. 0 lets the pool empty."""
    max_nodes: Annotated[int, limits.MAX_NODES]
    """Nodes the autoscaler may run at most, in each region."""
    regions: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Regions with this pool. Default: every region."""
    zones: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Zones by region. Default: every zone of the region with the machine type."""
    reservation: Annotated[str, limits.RESERVATION] | None = None
    """Name of the reservation to use, with capacity reservation only:
    projects/<project>/reservations/<name> of one that another project shares."""
    disk_gib: Annotated[int, limits.BOOT_DISK_GIB] = limits.BOOT_DISK_GIB.default
    """Boot disk of a node in GiB; images live there."""
    driver: limits.Driver = limits.DRIVER.default
    """GPU driver GKE installs; disabled installs none."""
    max_run_hours: Annotated[int, limits.MAX_RUN_HOURS] | None = None
    """Hours after which a flex-start node ends. Default: the longest possible."""
    partition: Annotated[str, limits.PARTITION] | None = None
    """Size of the partitions that each GPU is divided into (MIG), such as 1g.10gb, for small
    models: each works like a GPU, and a replica takes one. Default: whole GPUs."""
    topology: Annotated[str, limits.TOPOLOGY] | None = None
    """How the chips of TPUs are arranged, such as 4x4. A topology of several nodes is one slice,
    for one replica of as many nodes, and node counts are multiples of its. Default: each node by
    itself."""
    rdma: bool = False
    """Whether nodes have an RDMA network, for replicas of several nodes. GKE sets it up."""
    compact_placement: bool = False
    """Whether nodes stand close to each other, for replicas of several nodes; needs one zone."""
    labels: limits.NodeLabels = Field(default_factory=dict)
    """Kubernetes labels of the nodes."""
    taints: tuple[Taint, ...] = ()
    """Taints of the nodes."""

    @property
    def machine(self) -> MachineType:
        """The catalog's row of the machine type."""
        return GPU_MACHINE_TYPES[self.machine_type]

    @property
    def _part(self) -> Partition | None:
        """What a GPU is divided into; none where it is whole, or has no such partitions."""
        return self.machine.partitions.get(self.partition or "")

    @property
    def gpu(self) -> Gpu:
        """What a pod gets when it asks for a GPU: one, or a partition of one."""
        whole = self.machine.gpu
        return whole if self._part is None else whole.part(self._part)

    @property
    def partitions(self) -> int:
        """Into how many each GPU is divided."""
        return 1 if self._part is None else self._part.count

    @property
    def memory_gib_per_gpu(self) -> int:
        """GiB of a node's memory for each GPU of a replica: weights on their way to TPUs pass
        through it."""
        if not self.machine.is_tpu:
            return MEMORY_GIB_PER_GPU.default
        return int(self.machine.gpu_memory_gib) + _SERVER_GIB_PER_CHIP

    def pod_memory_gib(self, gpus: int) -> int:
        """Return the memory of a replica's pod with so many GPUs of a node, in GiB."""
        return replica_memory_gib(gpus, self.partitions, self.memory_gib_per_gpu)

    @property
    def gpus_per_node(self) -> int:
        """GPUs that pods find on one node, partitions each for itself."""
        return self.machine.gpu_count * self.partitions

    @property
    def slice_nodes(self) -> int:
        """Nodes that are one slice of TPUs; 1 where each stands for itself."""
        return limits.slice_nodes({"machine_type": self.machine_type, "topology": self.topology})

    def zones_in(self, region: str) -> tuple[str, ...]:
        """Return the zones of `region` nodes may run in."""
        return self.zones.get(region) or self.machine.zones_in(region)

    def is_in(self, region: str) -> bool:
        """Return whether `region` has this pool."""
        return self.regions is None or region in self.regions
