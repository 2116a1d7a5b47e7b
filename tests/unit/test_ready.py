"""What waits for more than the resource it comes from."""

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from components.ready import after
from tests.unit.harness import Deploy

GRANT = "gcp:projects/iAMMember:IAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"


def test_it_waits_in_the_engine_too(deploy: Deploy) -> None:
    def program() -> None:
        grant = gcp.projects.IAMMember("grant", project="acme", role="roles/viewer", member="x")
        name = after("runner", [grant.id])
        gcp.serviceaccount.Account("account", account_id=name, project="acme")

    cloud = deploy(program)
    account = cloud.one(ACCOUNT)
    assert account.inputs["accountId"] == "runner"
    assert account.property_dependencies["accountId"] == {cloud.one(GRANT).urn}


@pytest.mark.parametrize(
    ("value", "known"), [("runner", True), (pulumi.Output.from_input(pulumi.UNKNOWN), False)]
)
def test_in_a_preview_it_is_as_known_as_its_value(deploy: Deploy, value: Any, known: bool) -> None:
    """Else what takes it and can't change it would seem to be made anew with a lost grant."""
    unknown = pulumi.Output.from_input(pulumi.UNKNOWN)

    def program() -> pulumi.Output[bool]:
        return pulumi.Output.from_input(after(value, unknown).is_known())

    assert deploy(program, preview=True).value is known
