"""The control plane stands in several zones."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import text
from policies.rules.rule import Resource, ResourceRule

_ZONE: Final = re.compile(r".*-[a-z]")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    location = text(resource.props, "location")
    if isinstance(location, str) and _ZONE.fullmatch(location):
        yield "is in one zone"


RULE: Final = ResourceRule(
    id="rel-gke-regional",
    display_name="Clusters are regional",
    description="A cluster is regional.",
    why="A zonal control plane is away during each of its upgrades and with its zone.",
    remediation="set location to a region.",
    severity=Severity.LOW,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters",
    applies=lambda resource_type: resource_type == "gcp:container/cluster:Cluster",
    check=_check,
)
