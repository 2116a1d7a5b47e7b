"""What other tools report by mistake: no rule of ours says anything."""

from pathlib import Path
from typing import Any

import pytest

from policies.engine.environment import ENVIRONMENTS, load
from policies.engine.packs import ALL, rules_of
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.resource import Stack
from tests.policies.cases import CASES as EXAMPLES
from tests.policies.cases import document, policy_resources

HERE = Path(__file__).parent
DEV = load(ENVIRONMENTS / "dev.yaml")
CASES = document(HERE / "good_cases.yaml")
# The cases are of a project of their own.
OWN = {
    "iam-no-cross-project-sa": {"allowedProjects": ["acme"]},
    "net-psc-attachment-explicit": {"consumers": ["acme"]},
}
OFF = ("data-cmek", "sup-binauthz")


def limits_of(rule: str) -> Limits:
    return Limits({**DEV[rule], **OWN.get(rule, {})})


@pytest.mark.parametrize("name", CASES)
def test_good_case(name: str) -> None:
    case: dict[str, Any] = CASES[name]
    rows = tuple(case.get("resources") or [{"type": case["type"], "props": case["props"]}])
    resources = policy_resources(rows)
    # A case of several resources is about the rules of the whole stack that it names.
    alone = "resources" not in case
    asked: set[str] = set()
    for rule in rules_of(ALL):
        wanted = rule.id in case["rules"]
        if rule.id in case.get("but", ()) or (rule.id in OFF and not wanted):
            continue
        limits = limits_of(rule.id)
        if isinstance(rule, ResourceRule):
            found = [
                finding
                for each in resources
                if rule.applies(each.type) and (alone or wanted)
                for finding in rule.check(each, limits)
            ]
            applies = any(rule.applies(each.type) for each in resources)
        else:
            applies = wanted
            found = list(rule.check(Stack(resources), limits)) if wanted else []
        asked |= {rule.id} if applies else set()
        assert found == [], rule.id
    assert asked >= set(case["rules"])


def test_every_rule_of_the_baseline_has_a_case_here_or_in_its_examples() -> None:
    named = {rule for case in CASES.values() for rule in case["rules"]}
    passing = {case.rule for case in EXAMPLES if not case.says}
    assert len(CASES) >= 55
    assert named | passing >= {rule.id for rule in rules_of("baseline")}
