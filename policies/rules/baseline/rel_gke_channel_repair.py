"""Clusters and nodes are upgraded and repaired by themselves."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.durations import moment
from resources.node_pools import max_nodes
from resources.properties import MISSING, Props, elements, entries, flag, get, number, text
from resources.resource import Resource

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_CHANNEL: Final = Expected("releaseChannel.channel", ("RAPID", "REGULAR", "STABLE", "EXTENDED"))
_UPGRADED: Final = Expected("management.autoUpgrade", (True,))
_REPAIRED: Final = Expected("management.autoRepair", (True,))
_HALF: Final = 0.5
# Days of a maintenance exclusion: of all upgrades, and of those to a minor version.
# https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
_LONGEST: Final = 90
_LONGEST_MINOR: Final = 400
# A node that waited in a queue is not repaired: its replacement would wait again.
_QUEUED: Final = (("nodeConfig", "flexStart"), ("queuedProvisioning", "enabled"))


def _upgrade(pool: Props) -> Iterator[str]:
    nodes = max_nodes(pool)
    away = number(pool, "upgradeSettings", "maxUnavailable")
    if isinstance(away, float) and isinstance(nodes, float | int) and away > max(1, nodes / 2):
        yield "an upgrade takes more than half of its nodes at once"


def _blue_green(pool: Props) -> Iterator[str]:
    rollout = get(pool, "upgradeSettings", "blueGreenSettings", "standardRolloutPolicy")
    share, batch = number(rollout, "batchPercentage"), number(rollout, "batchNodeCount")
    nodes = max_nodes(pool)
    whole = isinstance(share, float) and share > _HALF
    if isinstance(batch, float) and isinstance(nodes, float | int) and nodes > 1:
        whole = whole or batch > nodes * _HALF
    if whole:
        yield "an upgrade takes more than half of its nodes at once"


def _exclusions(cluster: Props) -> Iterator[str]:
    for index, each in enumerate(elements(cluster, "maintenancePolicy", "maintenanceExclusions")):
        first, last = (moment(get(each, name)) for name in ("startTime", "endTime"))
        scope = text(each, "exclusionOptions", "scope")
        most = _LONGEST if scope in (MISSING, "NO_UPGRADES") else _LONGEST_MINOR
        if first and last and last - first > dt.timedelta(days=most):
            yield f"maintenanceExclusions[{index}] keeps upgrades away for more than {most} days"


def _pool(pool: object) -> Iterator[str]:
    # GKE does both unless told otherwise, but takes what is left out of the block for no.
    if get(pool, "management") is MISSING:
        return
    queued = any(flag(pool, *path) is True for path in _QUEUED)
    yield from unmet(pool, (_UPGRADED,) if queued else (_UPGRADED, _REPAIRED))


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _POOL:
        yield from _upgrade(resource.props)
        yield from _blue_green(resource.props)
        yield from _pool(resource.props)
        return
    provisioned = get(resource.props, "clusterAutoscaling", "autoProvisioningDefaults")
    if get(provisioned, "management") is not MISSING:
        for each in unmet(provisioned, (_UPGRADED, _REPAIRED)):
            yield f"autoProvisioningDefaults: {each}"
    pools = entries(resource.props, "nodePools")
    for index, pool in enumerate(pools if isinstance(pools, tuple) else ()):
        yield from (f"nodePools[{index}]: {each}" for each in _pool(pool))
    # Autopilot clusters are always in a channel.
    if flag(resource.props, "enableAutopilot") is not True:
        yield from unmet(resource.props, (_CHANNEL,))
    yield from _exclusions(resource.props)
    if get(resource.props, "maintenancePolicy") is MISSING:
        yield "has no maintenancePolicy"


RULE: Final = ResourceRule(
    id="rel-gke-channel-repair",
    display_name="GKE is kept up to date",
    description=(
        "A cluster is in a release channel with a maintenance window, and its nodes are "
        "upgraded and repaired."
    ),
    why="A cluster that nobody upgrades is upgraded by force one day, in the middle of the day.",
    remediation=(
        "set releaseChannel.channel, maintenancePolicy, management.autoUpgrade and "
        "management.autoRepair."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels",
    references=(
        Reference("CIS GKE", "5.5.2"),
        Reference("CIS GKE", "5.5.3"),
        Reference("CIS GKE", "5.5.4"),
        Reference("checkov", "CKV_GCP_9"),
        Reference("checkov", "CKV_GCP_10"),
        Reference("checkov", "CKV_GCP_70"),
        Reference("trivy", "GCP-0058"),
        Reference("trivy", "GCP-0063"),
    ),
    applies=lambda resource_type: resource_type in (_CLUSTER, _POOL),
    check=_check,
)
