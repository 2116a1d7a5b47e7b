"""No firewall lets the whole internet in."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, entries, flag, peek, text
from policies.rules.rule import Reference, Resource, ResourceRule

_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_POLICY_RULES: Final = (
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
# The whole internet, also in halves.
_EVERYWHERE: Final = frozenset(
    {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "::/1", "8000::/1"}
)
_SOURCES: Final = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
_POLICY_SOURCES: Final = (
    "srcIpRanges",
    "srcAddressGroups",
    "srcFqdns",
    "srcNetworks",
    "srcRegionCodes",
    "srcSecureTags",
    "srcThreatIntelligences",
)


def _is_open(value: object, ranges: str, sources: tuple[str, ...]) -> bool:
    found = entries(value, ranges)
    if isinstance(found, tuple) and any(
        isinstance(each, str) and each.strip() in _EVERYWHERE for each in found
    ):
        return True
    # Without any source, a rule takes every address.
    return all(entries(value, source) in (MISSING, ()) for source in sources)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    props = resource.props
    if flag(props, "disabled") is True or text(props, "direction") == "EGRESS":
        return
    if resource.type == _FIREWALL:
        allows = entries(props, "allows") not in (MISSING, ())
        is_open = _is_open(props, _SOURCES[0], _SOURCES)
    else:
        allows = text(props, "action") == "allow"
        is_open = _is_open(peek(props, "match"), _POLICY_SOURCES[0], _POLICY_SOURCES)
    if allows and is_open:
        yield "allows ingress from every address"


RULE: Final = ResourceRule(
    id="net-no-open-ingress",
    display_name="No ingress from everywhere",
    description="No firewall rule allows ingress from every address.",
    why="Scanners find an open port within minutes.",
    remediation=(
        "name the address ranges, service accounts or tags that need to come in; for load "
        "balancers 35.191.0.0/16 and 130.211.0.0/22."
    ),
    severity=Severity.CRITICAL,
    url="https://cloud.google.com/firewall/docs/firewalls",
    references=(
        Reference("CIS Google Cloud", "3.6"),
        Reference("CIS Google Cloud", "3.7"),
        Reference("checkov", "CKV_GCP_2"),
        Reference("checkov", "CKV_GCP_3"),
        Reference("checkov", "CKV_GCP_106"),
        Reference("checkov", "CKV2_GCP_12"),
        Reference("trivy", "GCP-0027"),
    ),
    applies=lambda resource_type: resource_type == _FIREWALL or resource_type in _POLICY_RULES,
    check=_check,
)
