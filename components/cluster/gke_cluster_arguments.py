"""Arguments of GkeCluster, and what is allowed in them."""

import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from catalog.machines import MACHINE_TYPES
from components.checks import check_between, check_labels
from components.cluster import defaults
from components.validation import Problems

RELEASE_CHANNELS = ("RAPID", "REGULAR", "STABLE", "EXTENDED")

_ZONES_BY_DEFAULT = 3
_MOST_NODES = 1000
_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


class MaintenanceWindow(TypedDict):
    """When GKE may upgrade the cluster and its nodes."""

    start_time: str
    """Start of the first window in UTC, such as `2026-01-03T02:00:00Z`."""
    end_time: str
    """End of the first window in UTC."""
    recurrence: str
    """RFC 5545 rule, such as `FREQ=WEEKLY;BYDAY=SA,SU`; GKE wants 48 hours in any 32 days."""


WEEKEND_NIGHTS: MaintenanceWindow = {
    "start_time": "2026-01-03T02:00:00Z",
    "end_time": "2026-01-03T08:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
}


class SystemPool(TypedDict):
    """Nodes for what is not a model server: endpoint pickers, routers, GKE's own pods."""

    machine_type: NotRequired[str]
    """Machine type without GPU; default e2-standard-8, which holds two endpoint pickers."""
    min_nodes: NotRequired[int]
    """Fewest nodes in the region; default 1."""
    max_nodes: NotRequired[int]
    """Most nodes in the region, one per zone or more; default 5."""
    disk_gib: NotRequired[int]
    """Size of the boot disk in GiB; default 100."""
    zones: NotRequired[Sequence[str]]
    """Zones of the nodes; default: three that GKE chooses."""


class GkeClusterArgs(TypedDict):
    """Arguments of GkeCluster."""

    project: pulumi.Input[str]
    """Id of the project, its container API enabled."""
    region: str
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
    release_channel: NotRequired[str]
    """RAPID, REGULAR (default), STABLE or EXTENDED."""
    minimum_version: NotRequired[pulumi.Input[str]]
    """Lowest control plane version; default: the lowest that serves InferencePool."""
    maintenance_window: NotRequired[MaintenanceWindow]
    """When upgrades may happen; default: Saturday and Sunday 2:00 to 8:00 UTC."""
    binary_authorization: NotRequired[bool]
    """Whether the project's Binary Authorization policy is enforced; default false."""
    image_repositories: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Artifact Registry repositories the nodes pull from: by any short name, the full id
    `projects/<project>/locations/<location>/repositories/<repository>`."""
    system_pool: NotRequired[SystemPool]
    """The nodes of the platform itself."""
    labels: NotRequired[Mapping[str, str]]
    """Google Cloud labels of the cluster and its nodes."""


def validate_gke_cluster(name: str, args: GkeClusterArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems()
    defaults.check_gke_name(problems, name)
    if not _REGION.fullmatch(args["region"]):
        problems.add(
            "region",
            f"found {args['region']!r}; allowed: a region such as us-central1; "
            "a zone would make a cluster whose control plane fails with it",
        )
    problems.check_one_of("release_channel", args.get("release_channel"), RELEASE_CHANNELS)
    window = args.get("maintenance_window", WEEKEND_NIGHTS)
    for field in ("start_time", "end_time"):
        if not _RFC3339.fullmatch(window[field]):
            problems.add(
                f"maintenance_window.{field}",
                f"found {window[field]!r}; allowed: a UTC time such as 2026-01-03T02:00:00Z",
            )
    if window["end_time"] <= window["start_time"]:
        problems.add(
            "maintenance_window.end_time",
            f"found {window['end_time']!r}; allowed: after start_time {window['start_time']!r}",
        )
    if not window["recurrence"].startswith("FREQ="):
        problems.add(
            "maintenance_window.recurrence",
            f"found {window['recurrence']!r}; allowed: an RFC 5545 rule such as "
            "FREQ=WEEKLY;BYDAY=SA,SU",
        )
    _check_system_pool(problems, args["region"], args.get("system_pool", {}))
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


def _check_system_pool(problems: Problems, region: str, pool: SystemPool) -> None:
    cpu_machine_types = [m.name for m in MACHINE_TYPES.values() if not m.gpu_count]
    problems.check_one_of("system_pool.machine_type", pool.get("machine_type"), cpu_machine_types)
    zones = pool.get("zones")
    for index, zone in enumerate(zones or ()):
        if zone.rpartition("-")[0] != region:
            problems.add(
                f"system_pool.zones[{index}]", f"found {zone!r}; allowed: zones of {region}"
            )
    zone_count = len(zones) if zones else _ZONES_BY_DEFAULT
    least, most = pool.get("min_nodes", 1), pool.get("max_nodes", 5)
    check_between(problems, "system_pool.min_nodes", least, 1, _MOST_NODES, "nodes")
    if most < max(least, zone_count):
        problems.add(
            "system_pool.max_nodes",
            f"found {most}; allowed: {max(least, zone_count)} or more: min_nodes is {least} and "
            f"GKE starts the pool with a node in each of its {zone_count} zones",
        )
    check_between(problems, "system_pool.disk_gib", pool.get("disk_gib", 100), 50, 65536, "GiB")
