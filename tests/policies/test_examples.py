"""Each rule on its examples: what it passes, what it finds, what it says of unknown values."""

from itertools import groupby

import pytest

from policies.shared.rule import ResourceRule
from tests.policies.cases import CASES, NOT_SPOKEN_OF, Case
from tests.policies.harness import NOT_APPLICABLE, RULES, UNKNOWN, check

# No example breaks it, only time: see test_scale_limits.
ELSEWHERE = {"cost-prices-current"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_example(case: Case) -> None:
    messages = case.run()
    assert len(messages) == len(case.says), messages
    for said in case.says:
        assert any(said in message for message in messages), messages
    if messages != NOT_APPLICABLE:
        assert all("Remediation: " in message for message in messages)


def test_every_rule_has_examples_of_each_kind() -> None:
    found = {rule: list(cases) for rule, cases in groupby(CASES, lambda case: case.rule)}
    assert set(found) == set(RULES) - ELSEWHERE
    for rule, cases in found.items():
        assert any(case.says and case.says != NOT_SPOKEN_OF for case in cases), rule
        unknown = [case for case in cases if UNKNOWN in repr(case.resources)]
        assert unknown, f"{rule} has no example of an unknown value"
        if rule not in ALWAYS_SPEAKS:
            assert any(not case.says for case in cases), f"{rule} has no example that passes"


# These are findings by being there.
ALWAYS_SPEAKS = {"iam-no-authoritative-policy", "iam-no-project-binding", "iam-no-sa-keys"}


@pytest.mark.parametrize(
    "rule", [rule.id for rule in RULES.values() if isinstance(rule, ResourceRule)]
)
def test_rules_do_not_speak_of_other_types(rule: str) -> None:
    assert check(rule, "random:index/randomId:RandomId", {}, None) == NOT_APPLICABLE
