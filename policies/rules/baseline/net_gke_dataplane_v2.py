"""Network policies of a cluster take effect."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import flag, text
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if (
        # Autopilot clusters have it always.
        flag(resource.props, "enableAutopilot") is not True
        and text(resource.props, "datapathProvider") != "ADVANCED_DATAPATH"
        and (
            flag(resource.props, "networkPolicy", "enabled") is not True
            or flag(resource.props, "addonsConfig", "networkPolicyConfig", "disabled") is True
        )
    ):
        yield "has neither Dataplane V2 nor networkPolicy.enabled"


RULE: Final = ResourceRule(
    id="net-gke-dataplane-v2",
    display_name="GKE enforces network policies",
    description="A GKE cluster has Dataplane V2, or network policy enforcement.",
    why="Without either, Kubernetes takes NetworkPolicy objects and ignores them.",
    remediation="set datapathProvider to ADVANCED_DATAPATH.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2",
    references=(
        Reference("CIS GKE", "5.6.7"),
        Reference("checkov", "CKV_GCP_12"),
        Reference("trivy", "GCP-0056"),
    ),
    applies=lambda resource_type: resource_type == "gcp:container/cluster:Cluster",
    check=_check,
)
