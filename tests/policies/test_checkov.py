"""The table of checkov's checks, docs/checkov.md, is what the rules say."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from tests.policies.harness import RULES

PAGE: Final = Path(__file__).parents[2] / "docs" / "checkov.md"
ROW: Final = re.compile(
    r"\| (?P<check>CKV2?_(?:GCP|K8S)_\d+) \| [^|]+ \| (?P<rules>[^|]*?) ?\| (?P<why>[^|]*?) ?\|"
)
ROWS: Final = [match for line in PAGE.read_text().splitlines() if (match := ROW.fullmatch(line))]
NAMED: Final = {row["check"]: set(re.findall(r"`([a-z0-9-]+)`", row["rules"])) for row in ROWS}


def test_each_check_is_there_once() -> None:
    assert len(NAMED) == len(ROWS) >= 280


def test_each_check_has_rules_that_exist_or_a_reason() -> None:
    for row in ROWS:
        assert bool(NAMED[row["check"]]) != bool(row["why"]), row["check"]
        reasons = set(re.findall(r"`([a-z0-9-]+)`", row["why"]))
        assert NAMED[row["check"]] | reasons <= set(RULES), row["check"]


def test_a_rule_that_refers_to_a_check_is_in_its_row() -> None:
    referred: defaultdict[str, set[str]] = defaultdict(set)
    for rule in RULES.values():
        for reference in rule.references:
            if reference.framework == "checkov":
                referred[reference.control].add(rule.id)
    assert {
        check for check, rules in referred.items() if not rules <= NAMED.get(check, set())
    } == set()
