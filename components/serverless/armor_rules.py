"""Rules of Cloud Armor: who may come, how often, and with what.

https://cloud.google.com/armor/docs/configure-security-policies
"""

import ipaddress
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from catalog.armor import WAF_RULES
from components.checks import check_between
from components.validation import Problems

_LAST = 2147483647
_MOST_RANGES = 10
_LEAST_REQUESTS, _MOST_REQUESTS = 1, 1_000_000


class Armor(TypedDict):
    """What Cloud Armor lets through; without any of these, there is no policy."""

    requests_per_minute: NotRequired[int | None]
    """Most requests of an address; more get 429."""
    allowed_ranges: NotRequired[Sequence[str]]
    """IPv4 or IPv6 ranges that may come, up to 10; default: all."""
    waf_rules: NotRequired[Sequence[str]]
    """Sets of attack signatures that are refused, such as sqli-v33-stable. Prompts can look like
    attacks: try them before."""


def check_armor(problems: Problems, path: str, armor: Armor) -> None:
    """Notes rules Cloud Armor refuses."""
    rate, ranges = armor.get("requests_per_minute"), armor.get("allowed_ranges", ())
    if rate is not None:
        where = f"{path}.requests_per_minute"
        check_between(problems, where, rate, _LEAST_REQUESTS, _MOST_REQUESTS, "requests")
    if len(ranges) > _MOST_RANGES:
        problems.add(
            f"{path}.allowed_ranges", f"found {len(ranges)} ranges, allowed: up to {_MOST_RANGES}"
        )
    for at, each in enumerate(ranges):
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            problems.add(
                f"{path}.allowed_ranges[{at}]", f"found {each!r}, allowed: a range; {error}"
            )
    for at, each in enumerate(armor.get("waf_rules", ())):
        problems.check_one_of(f"{path}.waf_rules[{at}]", each, WAF_RULES)


def armor_rules(armor: Armor) -> list[dict[str, Any]]:
    """Gives the rules of a policy, global or regional; none where nothing is asked for."""
    rate, ranges = armor.get("requests_per_minute"), [*armor.get("allowed_ranges", ())]
    rules = [_waf(at, each) for at, each in enumerate(armor.get("waf_rules", ()))]
    if rate is not None:
        rules.append(_rate(rate, ranges or ["*"]))
    elif ranges:
        rules.append(_rule(1000, "allow", "Known addresses", ranges))
    if not rules:
        return []
    last = "deny(403)" if ranges else "allow"
    return [*rules, _rule(_LAST, last, "All others" if ranges or rate else "All", ["*"])]


def _rule(priority: int, action: str, description: str, ranges: Sequence[str]) -> dict[str, Any]:
    return {
        "priority": priority,
        "action": action,
        "description": description,
        "match": {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": [*ranges]}},
    }


def _rate(requests: int, ranges: Sequence[str]) -> dict[str, Any]:
    return {
        **_rule(1000, "throttle", f"{requests} requests a minute from an address", ranges),
        "rate_limit_options": {
            "conform_action": "allow",
            "exceed_action": "deny(429)",
            "enforce_on_key": "IP",
            "rate_limit_threshold": {"count": requests, "interval_sec": 60},
        },
    }


def _waf(at: int, name: str) -> dict[str, Any]:
    return {
        "priority": 100 + at,
        "action": "deny(403)",
        "description": f"Signatures of {name}",
        "match": {"expr": {"expression": f"evaluatePreconfiguredWaf('{name}')"}},
    }
