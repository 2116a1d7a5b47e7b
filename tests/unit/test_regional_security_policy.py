"""RegionalSecurityPolicy: refused first, then attacks, then served at a rate, then the rest."""

from typing import Any, cast

import pytest

from components.network.armor_rules import Armor
from components.network.regional_security_policy import (
    RegionalSecurityPolicy,
    RegionalSecurityPolicyArgs,
    validate_regional_security_policy,
)
from tests.unit import examples
from tests.unit.harness import Deploy

POLICY = "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy"

ARGS: RegionalSecurityPolicyArgs = examples.arguments("RegionalSecurityPolicy")


def _rules(deploy: Deploy, **armor: Any) -> list[dict[str, Any]]:
    given: RegionalSecurityPolicyArgs = {
        "project": "p",
        "region": "r",
        "armor": cast("Armor", armor),
    }
    policy = deploy(lambda: RegionalSecurityPolicy("edge", given)).one(POLICY)
    return sorted(policy.inputs["rules"], key=lambda rule: rule["priority"])


def _ranges(rule: dict[str, Any]) -> list[str]:
    assert rule["match"]["versionedExpr"] == "SRC_IPS_V1"
    return rule["match"]["config"]["srcIpRanges"]


def test_it_is_a_backend_policy_of_the_region(deploy: Deploy):
    policy = deploy(lambda: RegionalSecurityPolicy("edge", ARGS)).one(POLICY).inputs
    assert (policy["name"], policy["region"], policy["type"]) == (
        "edge",
        "us-central1",
        "CLOUD_ARMOR",
    )


def test_rules_are_in_the_order_of_their_meaning(deploy: Deploy):
    rules = _rules(deploy, **ARGS["armor"])
    assert [rule["action"] for rule in rules] == [
        "deny(403)",
        "deny(403)",
        "deny(403)",
        "throttle",
        "deny(403)",
    ]
    assert _ranges(rules[0]) == ["10.9.0.0/24"]
    assert [rule["match"]["expr"]["expression"] for rule in rules[1:3]] == [
        "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 2})",
        "evaluatePreconfiguredWaf('xss-v33-stable', {'sensitivity': 2})",
    ]
    assert [rule["preview"] for rule in rules[1:3]] == [True, True]
    assert _ranges(rules[3]) == ["10.10.50.0/24"]
    assert rules[3]["rateLimitOptions"] == {
        "conformAction": "allow",
        "exceedAction": "deny(429)",
        "enforceOnKey": "IP",
        "rateLimitThreshold": {"count": 100, "intervalSec": 60},
    }
    assert _ranges(rules[4]) == ["*"]
    assert rules[4]["priority"] == 2_147_483_647


def test_without_a_list_everybody_is_served_at_the_rate(deploy: Deploy):
    rules = _rules(deploy, rate_limit={"requests": 5, "seconds": 10})
    assert [(rule["action"], _ranges(rule)) for rule in rules] == [
        ("throttle", ["*"]),
        ("allow", ["*"]),
    ]


def test_without_a_rate_those_on_the_list_are_served(deploy: Deploy):
    rules = _rules(deploy, allow=["10.0.0.0/8"])
    assert [(rule["action"], _ranges(rule)) for rule in rules] == [
        ("allow", ["10.0.0.0/8"]),
        ("deny(403)", ["*"]),
    ]


def test_a_rule_takes_ten_ranges(deploy: Deploy):
    ranges = [f"10.0.{index}.0/24" for index in range(23)]
    rules = _rules(deploy, deny=ranges)
    assert [len(_ranges(rule)) for rule in rules] == [10, 10, 3, 1]
    assert [block for rule in rules[:3] for block in _ranges(rule)] == ranges
    assert len({rule["priority"] for rule in rules}) == 4


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"deny": ["10.0.0.1/24"]}, "armor.deny[0]"),
        ({"allow": ["everybody"]}, "armor.allow[0]"),
        ({"waf": ["sql"]}, "armor.waf[0]"),
        ({"waf_sensitivity": 5}, "armor.waf_sensitivity"),
        ({"rate_limit": {"requests": 0, "seconds": 60}}, "armor.rate_limit.requests"),
        ({"rate_limit": {"requests": 1, "seconds": 61}}, "armor.rate_limit.seconds"),
    ],
)
def test_wrong_arguments_are_told(changes: dict[str, Any], path: str):
    armor = cast("Armor", {**ARGS["armor"], **changes})
    found = validate_regional_security_policy("edge", {**ARGS, "armor": armor}).found
    assert [problem["property_path"] for problem in found] == [path]
    assert "found" in found[0]["reason"]


def test_valid_arguments_have_no_problem():
    assert validate_regional_security_policy("edge", ARGS).found == []
