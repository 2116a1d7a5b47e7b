"""Every rule is of one of the kinds of mistakes, and each kind has cases and mutations."""

from tests.policies.harness import RULES
from tests.policies.kinds import kinds

# A guardrail, a role or a perimeter may be spoilt in more ways than a handful.
LEAST = 8


def test_every_rule_is_of_one_kind() -> None:
    assert sorted(rule for kind in kinds() for rule in kind.rules) == sorted(RULES)


def test_the_ten_kinds_have_an_authority_rules_cases_and_mutations() -> None:
    found = kinds()
    assert len(found) == 10
    for kind in found:
        assert kind.rules, kind.name
        assert "http" in kind.authority or "`pulumi_gcp`" in kind.authority, kind.name
        assert kind.cases >= LEAST, kind.name
        assert kind.mutations >= LEAST, kind.name


def test_every_table_has_rows() -> None:
    assert all(rows > 1 for kind in kinds() for rows in kind.tables.values())
