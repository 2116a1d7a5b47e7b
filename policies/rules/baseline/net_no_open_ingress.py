"""No firewall lets the whole internet in."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.addresses import is_everywhere
from resources.properties import MISSING, UNKNOWN, entries, flag, get, text
from resources.resource import Resource

_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_POLICY_RULES: Final = (
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
# Policies that hold their rules themselves.
_POLICIES: Final = (
    "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules",
    "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
    "gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules",
)
_SOURCES: Final = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
_POLICY_SOURCES: Final = (
    "srcIpRanges",
    "srcAddressGroups",
    "srcFqdns",
    "srcNetworks",
    "srcSecureTags",
)


# A whole country, and a list of attackers or of a whole cloud, are no narrower than the internet.
_GROUPS: Final = ("gcp:networksecurity/addressGroup:AddressGroup",)


def _is_open(value: object, ranges: str, sources: tuple[str, ...]) -> bool:
    found = entries(value, ranges)
    if isinstance(found, tuple) and is_everywhere(found):
        return True
    # Without any source, a rule takes every address.
    return all(entries(value, source) in (MISSING, ()) for source in sources)


def _lets_in(rule: object, *, firewall: bool) -> bool:
    if flag(rule, "disabled") is True or text(rule, "direction") == "EGRESS":
        return False
    if firewall:
        allows = entries(rule, "allows") not in (MISSING, ())
        return allows and _is_open(rule, _SOURCES[0], _SOURCES)
    allows = text(rule, "action") in ("allow", UNKNOWN)
    return allows and _is_open(get(rule, "match"), _POLICY_SOURCES[0], _POLICY_SOURCES)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _GROUPS:
        items = entries(resource.props, "items")
        if isinstance(items, tuple) and is_everywhere(items):
            yield "is a group of every address, for firewall rules to allow"
        return
    if resource.type not in _POLICIES:
        if _lets_in(resource.props, firewall=resource.type == _FIREWALL):
            yield "allows ingress from every address"
        return
    rules = entries(resource.props, "rules")
    if rules is UNKNOWN:
        yield "its rules are not known during preview"
    for index, rule in enumerate(rules if isinstance(rules, tuple) else ()):
        if rule is UNKNOWN:
            yield f"rules[{index}] is not known during preview"
        elif _lets_in(rule, firewall=False):
            yield f"rules[{index}] allows ingress from every address"


_TYPES: Final = (_FIREWALL, *_POLICY_RULES, *_POLICIES, *_GROUPS)


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
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/firewall/docs/firewalls",
    references=(
        Reference("CIS Google Cloud", "3.6"),
        Reference("CIS Google Cloud", "3.7"),
        Reference("checkov", "CKV_GCP_2"),
        Reference("checkov", "CKV_GCP_3"),
        Reference("checkov", "CKV_GCP_75"),
        Reference("checkov", "CKV_GCP_77"),
        Reference("checkov", "CKV_GCP_88"),
        Reference("checkov", "CKV_GCP_106"),
        Reference("checkov", "CKV2_GCP_12"),
        Reference("trivy", "GCP-0027"),
    ),
    applies=lambda resource_type: resource_type in _TYPES,
    check=_check,
)
