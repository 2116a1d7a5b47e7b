"""What other tools report by mistake: no rule of ours says anything."""

import json
from pathlib import Path
from typing import Any

import pytest

from policies.rules.config import Limits
from policies.rules.packs import PACKS
from policies.rules.rule import Resource, ResourceRule
from tests.policies.cases import document

HERE = Path(__file__).parent
POLICIES = HERE.parents[1] / "policies"
CASES = document(HERE / "good_cases.yaml")
# The cases are of a project of their own.
OWN = {"iam-no-cross-project-sa": {"allowedProjects": ["acme"]}}
OFF = ("data-cmek", "sup-binauthz")


def limits_of(pack: str, rule: str) -> Limits:
    settings = json.loads((POLICIES / pack / "dev.json").read_text())[rule]
    return Limits({**settings, **OWN.get(rule, {})})


@pytest.mark.parametrize("name", CASES)
def test_good_case(name: str) -> None:
    case: dict[str, Any] = CASES[name]
    resource = Resource(case["type"], "it", "urn", case["props"])
    asked: set[str] = set()
    for pack, rules in PACKS.items():
        for rule in rules:
            if (
                not isinstance(rule, ResourceRule)
                or not rule.applies(resource.type)
                or rule.id in (*OFF, *case.get("but", ()))
            ):
                continue
            asked.add(rule.id)
            assert list(rule.check(resource, limits_of(pack, rule.id))) == [], rule.id
    assert asked >= set(case["rules"])
