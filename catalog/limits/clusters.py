"""Limits of GKE clusters."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from catalog.limits import Choice, Range, Text
from catalog.machines import MACHINE_TYPES
from catalog.problems import Problem, in_order, shown

ReleaseChannel = Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"]

RELEASE_CHANNEL: Final = Choice(get_args(ReleaseChannel), default="REGULAR")
VERSION: Final = Text(
    r"1\.[0-9]{2}(?:\.[0-9]+(?:-gke\.[0-9]+)?)?",
    "a version of GKE",
    "write it like '1.35' or 1.35.1-gke.100: `gcloud container get-server-config` shows them",
)
ZERO_REPLICAS_MINOR: Final = 37
"""The first minor version 1.x whose autoscalers go to no replica.
https://docs.cloud.google.com/kubernetes-engine/docs/tutorials/scale-to-from-zero-hpa"""
TIME: Final = Text(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", "a UTC time", "write it like 2026-01-03T02:00:00Z"
)
RECURRENCE: Final = Text(
    "FREQ=.+",
    "an RFC 5545 rule",
    "write it like FREQ=WEEKLY;BYDAY=SA,SU",
    "FREQ=WEEKLY;BYDAY=SA,SU",
)
SECURITY_GROUP: Final = Text(
    r"gke-security-groups@[a-z0-9][a-z0-9.-]*\.[a-z]{2,}",
    "gke-security-groups@ and the organization's domain",
    "write it like gke-security-groups@acme.com",
)
"""https://cloud.google.com/kubernetes-engine/docs/how-to/google-groups-rbac"""
SYSTEM_MACHINE_TYPE: Final = Choice(
    tuple(sorted(each.name for each in MACHINE_TYPES.values() if not each.gpu_count)),
    default="e2-standard-8",
)
SYSTEM_MIN_NODES: Final = Range(1, 1000, "nodes", default=1)
SYSTEM_MAX_NODES: Final = Range(3, 1000, "nodes, one in each of three zones", default=5)
SYSTEM_DISK_GIB: Final = Range(50, 65536, "GiB", default=100)


def minor(version: str) -> int:
    """Return the minor version of a version of GKE."""
    return int(version.split(".")[1])


def cluster(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit together in the settings of a cluster."""
    window = given.get("maintenance_window")
    if window and window["end_time"] <= window["start_time"]:
        yield Problem(
            ("maintenance_window", "end_time"),
            shown(window["end_time"]),
            f"after start_time, {window['start_time']}",
            "change one of them",
        )
    pool: Mapping[str, Any] = given.get("system_pool") or {}
    for problem in in_order(
        min_nodes=pool.get("min_nodes", SYSTEM_MIN_NODES.default),
        max_nodes=pool.get("max_nodes", SYSTEM_MAX_NODES.default),
    ):
        yield Problem(
            ("system_pool", *problem.path), problem.found, problem.allowed, problem.remedy
        )
