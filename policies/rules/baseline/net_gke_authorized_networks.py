"""Only named networks reach the address of a control plane."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.addresses import is_everywhere
from resources.properties import MISSING, entries, flag, get, text
from resources.resource import Resource

_NETWORKS: Final = "masterAuthorizedNetworksConfig"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    blocks = entries(resource.props, _NETWORKS, "cidrBlocks")
    known = blocks if isinstance(blocks, tuple) else ()
    if is_everywhere(text(block, "cidrBlock") for block in known):
        yield "lets every address reach its control plane"
    # IAM alone decides at the DNS endpoint.
    if flag(resource.props, "controlPlaneEndpointsConfig", "ipEndpointsConfig", "enabled") is False:
        return
    if get(resource.props, _NETWORKS) is MISSING:
        yield f"{_NETWORKS} is not set"
        return
    if flag(resource.props, _NETWORKS, "gcpPublicCidrsAccessEnabled") is True:
        yield "lets every virtual machine of Google Cloud reach its control plane"


RULE: Final = ResourceRule(
    id="net-gke-authorized-networks",
    display_name="GKE control planes name their networks",
    description="A control plane with an address lists the networks that may reach it, never all.",
    why=(
        "Every address that can reach the control plane can try stolen credentials and new "
        "exploits on it."
    ),
    remediation=(
        "switch off controlPlaneEndpointsConfig.ipEndpointsConfig, or list "
        "masterAuthorizedNetworksConfig.cidrBlocks."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation",
    references=(
        Reference("CIS GKE", "5.6.3"),
        Reference("checkov", "CKV_GCP_20"),
        Reference("trivy", "GCP-0061"),
    ),
    applies=lambda resource_type: resource_type == "gcp:container/cluster:Cluster",
    check=_check,
)
