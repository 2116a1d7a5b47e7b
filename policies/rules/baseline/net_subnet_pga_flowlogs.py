"""Subnets of machines reach Google APIs privately and log their flows."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, get, text
from resources.resource import Resource

# Subnets of these purposes hold no machines and take neither setting.
_RESERVED: Final = frozenset(
    {
        "GLOBAL_MANAGED_PROXY",
        "INTERNAL_HTTPS_LOAD_BALANCER",
        "PEER_MIGRATION",
        "PRIVATE_NAT",
        "PRIVATE_SERVICE_CONNECT",
        "REGIONAL_MANAGED_PROXY",
    }
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if text(resource.props, "purpose") in _RESERVED:
        return
    yield from unmet(resource.props, (Expected("privateIpGoogleAccess", (True,)),))
    if get(resource.props, "logConfig") is MISSING:
        yield "has no logConfig"


RULE: Final = ResourceRule(
    id="net-subnet-pga-flowlogs",
    display_name="Subnets reach Google privately and log",
    description="A subnet for machines has Private Google Access and flow logs.",
    why=(
        "Without flow logs nobody can tell where data went; without private access machines "
        "need the internet."
    ),
    remediation="set privateIpGoogleAccess and logConfig.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/vpc/docs/using-flow-logs",
    references=(
        Reference("CIS Google Cloud", "3.8"),
        Reference("checkov", "CKV_GCP_26"),
        Reference("checkov", "CKV_GCP_74"),
        Reference("trivy", "GCP-0029"),
        Reference("trivy", "GCP-0075"),
    ),
    applies=lambda resource_type: resource_type == "gcp:compute/subnetwork:Subnetwork",
    check=_check,
)
