"""The controls of docs/security.md are enforced by what is there, and shown by tests that are."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from components import COMPONENTS
from tests.policies.harness import RULES

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs" / "security.md").read_text()
NAME: Final = re.compile(r"`([A-Za-z0-9_-]+)`")
TEST: Final = re.compile(r"^\s*def (test_\w+)\(", re.MULTILINE)


def rows(section: str) -> Iterator[list[str]]:
    """Yield the cells of each row of a section."""
    text = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith(("| control", "|---")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_what_enforces_a_control_is_a_rule_or_a_component() -> None:
    for section in ("GDPR", "HIPAA", "SOC 2"):
        found = [*rows(section)]
        assert found
        for control, enforced, _, left in found:
            assert {*NAME.findall(enforced)} <= {*RULES, *COMPONENTS}, control
            assert {name for name in NAME.findall(left) if "-" in name} <= {*RULES}, control


def test_what_shows_a_control_is_a_test() -> None:
    tests = {
        name for file in (ROOT / "tests").rglob("*.py") for name in TEST.findall(file.read_text())
    }
    for section in ("GDPR", "HIPAA", "SOC 2"):
        for control, _, shown, _ in rows(section):
            assert {*NAME.findall(shown)} <= tests, control


def test_a_control_is_enforced_shown_or_left_to_somebody() -> None:
    for section in ("GDPR", "HIPAA", "SOC 2"):
        for control, enforced, shown, left in rows(section):
            assert enforced or shown or left, control


def test_the_controls_of_cis_are_those_that_rules_refer_to() -> None:
    for framework in ("CIS Google Cloud", "CIS GKE"):
        referred: defaultdict[str, set[str]] = defaultdict(set)
        for rule in RULES.values():
            for reference in rule.references:
                if reference.framework == framework:
                    referred[reference.control].add(rule.id)
        assert {control: {*NAME.findall(rules)} for control, rules in rows(framework)} == referred
