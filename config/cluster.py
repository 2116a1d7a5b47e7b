"""The clusters: which versions they run, when these change, and the platform's own nodes."""

from typing import Annotated

from catalog.limits import clusters as limits
from config.fields import Settings


class MaintenanceWindow(Settings):
    """When GKE may upgrade clusters and nodes. GKE wants 48 hours in any 32 days."""

    start_time: Annotated[str, limits.TIME]
    """Start of the first window in UTC, in quotes."""
    end_time: Annotated[str, limits.TIME]
    """End of the first window in UTC, in quotes."""
    recurrence: Annotated[str, limits.RECURRENCE] = limits.RECURRENCE.default
    """When it comes again, as an RFC 5545 rule."""


class SystemPool(Settings):
    """Nodes for what is not a model server: endpoint pickers, routers, GKE's own pods."""

    machine_type: Annotated[str, limits.SYSTEM_MACHINE_TYPE] = limits.SYSTEM_MACHINE_TYPE.default
    """Machine type without GPU; the default holds two endpoint pickers."""
    min_nodes: Annotated[int, limits.SYSTEM_MIN_NODES] = limits.SYSTEM_MIN_NODES.default
    """Nodes that always run, in each region."""
    max_nodes: Annotated[int, limits.SYSTEM_MAX_NODES] = limits.SYSTEM_MAX_NODES.default
    """Nodes the autoscaler may run at most, in each region."""
    disk_gib: Annotated[int, limits.SYSTEM_DISK_GIB] = limits.SYSTEM_DISK_GIB.default
    """Boot disk of a node in GiB."""


class Cluster(Settings):
    """How the GKE clusters are, the same in every region."""

    release_channel: limits.ReleaseChannel = limits.RELEASE_CHANNEL.default
    """How soon versions of GKE come."""
    minimum_version: Annotated[str, limits.VERSION] | None = None
    """Lowest version of the control plane, in quotes. Default: the lowest that serves
    InferencePool."""
    maintenance_window: MaintenanceWindow | None = None
    """When upgrades may happen. Default: Saturday and Sunday 2:00 to 8:00 UTC."""
    binary_authorization: bool = False
    """Whether the project's Binary Authorization policy holds for its pods."""
    security_group: Annotated[str, limits.SECURITY_GROUP] | None = None
    """Google group whose groups may have rights in clusters, gke-security-groups@ the
    organization's domain: the groups of teams must be in it. Default: groups have none."""
    system_pool: SystemPool = SystemPool()
    """The nodes of the platform itself."""
