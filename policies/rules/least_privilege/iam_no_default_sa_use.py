"""Nothing runs as a default service account."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.default_accounts import is_default_account
from policies.access.reach import RUNS_AS
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, Props, flag, text
from resources.resource import Resource

# Beside what runs a workload: what builds, and nodes.
_PATHS: Final[Mapping[str, tuple[str | int, ...]]] = {
    **RUNS_AS,
    "gcp:cloudbuild/trigger:Trigger": ("serviceAccount",),
    "gcp:container/nodePool:NodePool": ("nodeConfig", "serviceAccount"),
    "gcp:tpu/v2Vm:V2Vm": ("serviceAccount", "email"),
}
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_PROVISIONED: Final = ("clusterAutoscaling", "autoProvisioningDefaults", "serviceAccount")


def _cluster_paths(props: Props) -> Iterator[tuple[str | int, ...]]:
    """Yield where a cluster names an account for nodes that no NodePool resource describes."""
    autopilot = flag(props, "enableAutopilot") is True
    if autopilot or flag(props, "clusterAutoscaling", "enabled") is True:
        yield _PROVISIONED
    if not autopilot and flag(props, "removeDefaultNodePool") is not True:
        yield ("nodeConfig", "serviceAccount")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    paths = (
        _cluster_paths(resource.props)
        if resource.type == _CLUSTER
        else iter((_PATHS[resource.type],))
    )
    for path in paths:
        account = text(resource.props, *path)
        where = ".".join(str(step) for step in path)
        if isinstance(account, str) and is_default_account(account):
            yield f"{where} is a default service account"
        elif account is MISSING or account == "":
            yield f"{where} is not set, so it runs as the default service account"


RULE: Final = ResourceRule(
    id="iam-no-default-sa-use",
    display_name="No use of default service accounts",
    description="Every node, instance and service names a service account of its own.",
    why="The default account is shared by all and often has the editor role.",
    remediation="make a service account with only the roles it needs and name it here.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts#default-accounts",
    references=(
        Reference("CIS Google Cloud", "4.1"),
        Reference("CIS GKE", "5.2.1"),
        Reference("checkov", "CKV_GCP_30"),
        Reference("checkov", "CKV2_GCP_1"),
        Reference("trivy", "GCP-0044"),
        Reference("trivy", "GCP-0050"),
    ),
    applies=lambda resource_type: resource_type == _CLUSTER or resource_type in _PATHS,
    check=_check,
)
