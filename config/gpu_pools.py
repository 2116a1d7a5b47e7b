"""GPU node pools: which machines, how they are bought, and how many at most."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from catalog.machines import GPU_MACHINE_TYPES, MachineType
from config.errors import did_you_mean, listed
from config.fields import (
    LabelKey,
    LabelValue,
    Matching,
    Settings,
    breach,
    label,
)


def gpu_machine_type(name: str) -> str:
    """The name itself. Raises a breach when it is no machine type with GPUs."""
    if name not in GPU_MACHINE_TYPES:
        raise breach(
            listed(GPU_MACHINE_TYPES),
            did_you_mean(name, GPU_MACHINE_TYPES, "choose a machine type with GPUs"),
        )
    return name


PoolName = Annotated[str, label(23, "with the environment it must fit a node pool's 40 characters")]


class Taint(Settings):
    """A Kubernetes taint on every node of the pool, beside GKE's own for GPUs."""

    key: Annotated[
        str,
        Matching(
            r"(?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
            "a Kubernetes label key",
            "write it like team or acme.com/team",
        ),
    ] = Field(description="Key of the taint.")
    value: LabelValue = Field(description="Value of the taint; may be empty.")
    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = Field(
        description="What it does to pods that do not tolerate it."
    )


class GpuPool(Settings):
    """A GKE node pool in each of its regions. Node counts are totals for a region."""

    machine_type: Annotated[
        str,
        AfterValidator(gpu_machine_type),
        WithJsonSchema({"type": "string", "enum": sorted(GPU_MACHINE_TYPES)}),
    ] = Field(description="Compute Engine machine type of the nodes.")
    capacity: Literal["on-demand", "spot", "flex-start", "reservation"] = Field(
        description="How nodes are bought: on demand, as preemptible spot, queued with a limited"
        " run time (flex-start), or from a reservation."
    )
    min_nodes: int = Field(
        ge=0, le=1000, description="Nodes that always run, in each region. 0 lets the pool empty."
    )
    max_nodes: int = Field(
        ge=1, le=1000, description="Nodes the autoscaler may run at most, in each region."
    )
    regions: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Regions with this pool. Default: every region."
    )
    zones: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Zones by region. Default: every zone of the region with the machine type.",
    )
    reservation: (
        Annotated[str, label(63, "Compute Engine names have at most 63 characters")] | None
    ) = Field(
        default=None, description="Name of the reservation to use, with capacity reservation only."
    )
    disk_gib: int = Field(
        default=200, ge=50, le=65536, description="Boot disk of a node in GiB; images live there."
    )
    driver: Literal["default", "latest", "disabled"] = Field(
        default="default", description="GPU driver GKE installs; disabled installs none."
    )
    max_run_hours: int | None = Field(
        default=None,
        ge=1,
        le=168,
        description="Hours after which a flex-start node ends. Default: 168, the longest possible.",
    )
    rdma: bool = Field(
        default=False,
        description="Whether nodes have an RDMA network, for replicas of several nodes. GKE sets it"
        " up.",
    )
    labels: Mapping[LabelKey, LabelValue] = Field(
        default_factory=dict, description="Kubernetes labels of the nodes."
    )
    taints: tuple[Taint, ...] = Field(default=(), description="Taints of the nodes.")

    @property
    def machine(self) -> MachineType:
        """The catalog's row of the machine type."""
        return GPU_MACHINE_TYPES[self.machine_type]

    @property
    def gpus_per_node(self) -> int:
        """GPUs of one node."""
        return self.machine.gpu_count

    def zones_in(self, region: str) -> tuple[str, ...]:
        """The zones of `region` nodes may run in."""
        return self.zones.get(region) or self.machine.zones_in(region)

    def is_in(self, region: str) -> bool:
        """Whether `region` has this pool."""
        return self.regions is None or region in self.regions
