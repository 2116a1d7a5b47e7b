"""Rules of Cloud Armor: who may come, how often, and with what; for global and regional policies.

https://cloud.google.com/armor/docs/security-policy-overview
"""

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

from pulumi_gcp.compute import RegionSecurityPolicyRuleArgsDict as Rule
from pulumi_gcp.compute import RegionSecurityPolicyRuleMatchArgsDict

from catalog.armor import SIGNATURES
from catalog.limits import network as limits

_RANGES_A_RULE = 10
_DENY, _TOO_MANY = "deny(403)", "deny(429)"
_FIRST_DENIED, _FIRST_ATTACK, _FIRST_ALLOWED, _LAST = 1000, 2000, 3000, 2_147_483_647
_EVERYBODY = "*"


class RateLimit(TypedDict):
    """A rate for each client address."""

    requests: Annotated[int, limits.RATE_REQUESTS]
    """Requests; more get 429."""
    seconds: Annotated[int, limits.RATE_SECONDS]
    """Time they are counted over."""


class Armor(TypedDict):
    """What Cloud Armor lets through; without a range, a rate and a rule set, everything."""

    deny: NotRequired[Sequence[Annotated[str, limits.IP_RANGE]]]
    """IPv4 or IPv6 ranges that are refused."""
    allow: NotRequired[Sequence[Annotated[str, limits.IP_RANGE]]]
    """IPv4 or IPv6 ranges that are served, and no others (default: all that are not refused)."""
    rate_limit: NotRequired[RateLimit | None]
    """Most requests of a client address (default: any number)."""
    waf: NotRequired[Sequence[Annotated[str, limits.WAF]]]
    """Sets of attack signatures that are refused, of `catalog.armor.SIGNATURES` (default none).
    Prompts can look like attacks: begin with `waf_preview`."""
    waf_sensitivity: NotRequired[Annotated[int, limits.WAF_SENSITIVITY]]
    """1: the surest signatures only; 4: all."""
    waf_preview: NotRequired[bool]
    """Log what the signatures would refuse, and let it pass (default false)."""


def armor_rules(armor: Armor) -> list[Rule]:
    """Return the rules of a policy: refused ranges, attacks, then served ranges and rates.

    None where nothing is asked for.
    """
    limit, allowed = armor.get("rate_limit"), armor.get("allow", ())
    served = allowed or ([_EVERYBODY] if limit else [])
    rules = [
        *_by_address(armor.get("deny", ()), _FIRST_DENIED, _DENY),
        *_attacks(armor),
        *_by_address(served, _FIRST_ALLOWED, "throttle" if limit else "allow", limit),
    ]
    if not rules:
        return []
    rest: Rule = {
        "action": _DENY if allowed else "allow",
        "priority": _LAST,
        "match": _addresses([_EVERYBODY]),
        "description": "Everything else",
    }
    return [*rules, rest]


def _attacks(armor: Armor) -> list[Rule]:
    sensitivity = armor.get("waf_sensitivity", limits.WAF_SENSITIVITY.default)
    return [
        {
            "action": _DENY,
            "priority": _FIRST_ATTACK + at,
            "preview": armor.get("waf_preview", False),
            "match": {
                "expr": {
                    "expression": f"evaluatePreconfiguredWaf('{SIGNATURES[each]}', "
                    f"{{'sensitivity': {sensitivity}}})"
                }
            },
        }
        for at, each in enumerate(armor.get("waf", ()))
    ]


def _by_address(
    ranges: Sequence[str], first: int, action: str, limit: RateLimit | None = None
) -> list[Rule]:
    parts = [ranges[at : at + _RANGES_A_RULE] for at in range(0, len(ranges), _RANGES_A_RULE)]
    rules: list[Rule] = [
        {"action": action, "priority": first + at, "match": _addresses(part)}
        for at, part in enumerate(parts)
    ]
    if limit is not None:
        for rule in rules:
            rule["rate_limit_options"] = {
                "conform_action": "allow",
                "exceed_action": _TOO_MANY,
                "enforce_on_key": "IP",
                "rate_limit_threshold": {
                    "count": limit["requests"],
                    "interval_sec": limit["seconds"],
                },
            }
    return rules


def _addresses(ranges: Sequence[str]) -> RegionSecurityPolicyRuleMatchArgsDict:
    return {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": list(ranges)}}
