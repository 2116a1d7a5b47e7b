"""No firewall lets the whole internet in."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from policies.shared.types import FIREWALL_POLICY_RULES
from resources.addresses import is_everywhere, is_public
from resources.properties import MISSING, UNKNOWN, elements, entries, flag, get, text
from resources.resource import Resource

_FIREWALL: Final = "gcp:compute/firewall:Firewall"
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
    "srcNetworks",
    "srcSecureTags",
)


# SSH and RDP.
_ADMINISTRATION: Final = (22, 3389)
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
    match = get(rule, "match")
    # Who owns the name chooses the addresses.
    by_name = entries(match, "srcFqdns") not in (MISSING, (), UNKNOWN)
    return allows and (by_name or _is_open(match, _POLICY_SOURCES[0], _POLICY_SOURCES))


def _administers(rule: object, *, firewall: bool) -> bool:
    """Return whether a rule lets addresses of the internet reach a port of administration."""
    if flag(rule, "disabled") is True or text(rule, "direction") == "EGRESS":
        return False
    match = rule if firewall else get(rule, "match")
    ranges = elements(match, _SOURCES[0] if firewall else _POLICY_SOURCES[0])
    if not firewall and text(rule, "action") != "allow":
        return False
    return any(map(is_public, ranges)) and any(
        _has_port(each, "protocol" if firewall else "ipProtocol")
        for each in elements(match, "allows" if firewall else "layer4Configs")
    )


def _has_port(allowed: object, protocol: str) -> bool:
    found = text(allowed, protocol)
    if not isinstance(found, str) or found.lower() not in ("all", "tcp", "6"):
        return False
    ports = entries(allowed, "ports")
    return ports in (MISSING, ()) or any(
        isinstance(each, str) and any(_spans(each, port) for port in _ADMINISTRATION)
        for each in (ports if isinstance(ports, tuple) else ())
    )


def _spans(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return False
    return int(first) <= port <= int(last or first)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _FIREWALL:
        denies = entries(resource.props, "denies") not in (MISSING, ())
        if denies and flag(resource.props, "disabled") is True:
            yield "denies, and is switched off"
    if resource.type in _GROUPS:
        items = entries(resource.props, "items")
        if isinstance(items, tuple) and is_everywhere(items):
            yield "is a group of every address, for firewall rules to allow"
        return
    if resource.type not in _POLICIES:
        firewall = resource.type == _FIREWALL
        if _lets_in(resource.props, firewall=firewall):
            yield "allows ingress from every address"
        elif _administers(resource.props, firewall=firewall):
            yield "opens a port of administration to the internet, past Identity-Aware Proxy"
        return
    rules = entries(resource.props, "rules")
    if rules is UNKNOWN:
        yield "its rules are not known during preview"
    for index, rule in enumerate(rules if isinstance(rules, tuple) else ()):
        if rule is UNKNOWN:
            yield f"rules[{index}] is not known during preview"
        elif _lets_in(rule, firewall=False):
            yield f"rules[{index}] allows ingress from every address"


_TYPES: Final = (_FIREWALL, *FIREWALL_POLICY_RULES, *_POLICIES, *_GROUPS)


RULE: Final = ResourceRule(
    id="net-no-open-ingress",
    display_name="No ingress from everywhere",
    description=(
        "No firewall rule allows ingress from every address, or to SSH and RDP from the internet, "
        "and none that denies is switched off."
    ),
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
