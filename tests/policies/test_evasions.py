"""What is written so that a rule might overlook it is found all the same."""

from pathlib import Path
from typing import Any

import pytest

from policies.access.reach import access_of
from tests.policies.cases import Case, document
from tests.policies.harness import RULES, check_stack, resource

FOLDER = Path(__file__).parent / "evasions"


def case_of(rule: str, name: str, row: dict[str, Any]) -> Case:
    rows = row.get("resources") or [row]
    says = row.get("says", [])
    given = (says,) if isinstance(says, str) else tuple(says)
    return Case(rule, name, row.get("limits", {}), tuple(rows), given)


CASES = [
    case_of(rule, name, row)
    for path in sorted(FOLDER.glob("*.yaml"))
    for rule, group in document(path).items()
    for name, row in group.items()
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_evasion(case: Case) -> None:
    assert case.rule in RULES
    messages = case.run()
    assert len(messages) == len(case.says), messages
    for said in case.says:
        assert any(said in message for message in messages), messages


def test_a_thousand_accounts_that_may_become_each_other_are_followed_once() -> None:
    """Each may take tokens of every other: a million ways, of which none is walked twice."""
    rows = [
        resource(
            "gcp:projects/iAMMember:IAMMember",
            {
                "role": "roles/iam.serviceAccountTokenCreator",
                "member": f"serviceAccount:a{number}@acme.iam.gserviceaccount.com",
            },
            f"token-{number}",
        )
        for number in range(1000)
    ]
    admin = resource(
        "gcp:projects/iAMMember:IAMMember",
        {"role": "roles/owner", "member": "serviceAccount:a7@acme.iam.gserviceaccount.com"},
        "admin",
    )
    everyone = [*rows, admin]
    assert len(check_stack("iam-no-escalation-chain", everyone)) == 999
    access = access_of(everyone)
    assert len({id(access.reachable(who)) for who in access.principals}) <= 2
