"""Pods get their own identity, not the node's."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, flag, text
from resources.resource import Resource

_CLUSTER: Final = "gcp:container/cluster:Cluster"
_POOL: Final = "gcp:container/nodePool:NodePool"
_MODE: Final = ("nodeConfig", "workloadMetadataConfig", "mode")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    is_cluster = resource.type == _CLUSTER
    # Autopilot clusters have it always.
    if is_cluster and flag(resource.props, "enableAutopilot") is True:
        return
    if is_cluster and text(resource.props, "workloadIdentityConfig", "workloadPool") in (
        MISSING,
        "",
    ):
        yield "workloadIdentityConfig.workloadPool is not set"
    keeps_nodes = not is_cluster or flag(resource.props, "removeDefaultNodePool") is not True
    if keeps_nodes and text(resource.props, *_MODE) != "GKE_METADATA":
        yield f"{'.'.join(_MODE)} is not GKE_METADATA"


RULE: Final = ResourceRule(
    id="iam-gke-workload-identity",
    display_name="GKE pods have their own identity",
    description="GKE clusters and node pools use Workload Identity Federation.",
    why="Without it every pod can take the node's service account from the metadata server.",
    remediation=(
        "set workloadIdentityConfig.workloadPool to PROJECT.svc.id.goog on the cluster and "
        "nodeConfig.workloadMetadataConfig.mode to GKE_METADATA on the node pool."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity",
    references=(
        Reference("CIS GKE", "5.4"),
        Reference("checkov", "CKV_GCP_69"),
    ),
    applies=lambda resource_type: resource_type in (_CLUSTER, _POOL),
    check=_check,
)
