"""Arguments of GkeCluster, and what is allowed in them."""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Text
from catalog.limits import clusters as limits
from components.cluster import defaults
from components.validation import Problems

REGION = Text(
    "[a-z]+-[a-z]+[0-9]+",
    "a region such as us-central1",
    "a zone would make a cluster whose control plane fails with it",
)


class MaintenanceWindow(TypedDict):
    """When GKE may upgrade the cluster and its nodes."""

    start_time: Annotated[str, limits.TIME]
    """Start of the first window in UTC, such as `2026-01-03T02:00:00Z`."""
    end_time: Annotated[str, limits.TIME]
    """End of the first window in UTC."""
    recurrence: Annotated[str, limits.RECURRENCE]
    """RFC 5545 rule; GKE wants 48 hours in any 32 days."""


WEEKEND_NIGHTS: MaintenanceWindow = {
    "start_time": "2026-01-03T02:00:00Z",
    "end_time": "2026-01-03T08:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
}


class SystemPool(TypedDict):
    """Nodes for what is not a model server: endpoint pickers, routers, GKE's own pods."""

    machine_type: NotRequired[Annotated[str, limits.SYSTEM_MACHINE_TYPE]]
    """Machine type without GPU; the default holds two endpoint pickers."""
    min_nodes: NotRequired[Annotated[int, limits.SYSTEM_MIN_NODES]]
    """Fewest nodes in the region."""
    max_nodes: NotRequired[Annotated[int, limits.SYSTEM_MAX_NODES]]
    """Most nodes in the region, whose three zones have one each at first."""
    disk_gib: NotRequired[Annotated[int, limits.SYSTEM_DISK_GIB]]
    """Size of the boot disk."""


class GkeClusterArgs(TypedDict):
    """Arguments of GkeCluster."""

    project: pulumi.Input[str]
    """Id of the project, its container API enabled."""
    region: Annotated[str, REGION]
    """Region of the control plane and the nodes, such as `us-central1`."""
    network: pulumi.Input[str]
    """Id of the network."""
    subnetwork: pulumi.Input[str]
    """Id of the nodes' subnetwork."""
    pods_range: pulumi.Input[str]
    """Name of the subnetwork's secondary range for pods."""
    services_range: pulumi.Input[str]
    """Name of the subnetwork's secondary range for Services."""
    deletion_protection: NotRequired[bool]
    """Whether the cluster is protected from deletion and replacement; default true."""
    release_channel: NotRequired[Annotated[str, limits.RELEASE_CHANNEL]]
    """How soon versions of GKE come."""
    minimum_version: NotRequired[Annotated[pulumi.Input[str], limits.VERSION]]
    """Lowest control plane version; default: the lowest that serves InferencePool."""
    maintenance_window: NotRequired[MaintenanceWindow]
    """When upgrades may happen; default: Saturday and Sunday 2:00 to 8:00 UTC."""
    binary_authorization: NotRequired[bool]
    """Whether the project's Binary Authorization policy is enforced; default false."""
    security_group: NotRequired[Annotated[str, limits.SECURITY_GROUP]]
    """Google group whose groups may have rights by Kubernetes' roles, `gke-security-groups@` the
    organization's domain; default: groups have none."""
    image_repositories: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Artifact Registry repositories the nodes pull from: by any short name, the full id
    `projects/<project>/locations/<location>/repositories/<repository>`."""
    system_pool: NotRequired[SystemPool]
    """The nodes of the platform itself."""


def validate_gke_cluster(name: str, args: GkeClusterArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(GkeClusterArgs, args)
    defaults.check_gke_name(problems, name)
    problems.extend(limits.cluster(args))
    return problems
