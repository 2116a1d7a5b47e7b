"""What identities of the stack are granted, something in it needs."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.model import shown
from policies.access.needs import balance_of
from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import show
from resources.resource import Resource


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    for grant, permissions in balance_of(resources).surplus():
        what = f"{', '.join(permissions)} of its role" if permissions else show(grant.role)
        yield StackFinding(
            f"gives {shown(grant.principal or '')} {what}, which nothing in the stack needs",
            grant.resource,
        )


RULE: Final = StackRule(
    id="iam-no-surplus-grants",
    display_name="No surplus grants",
    description=(
        "What Google's agents, service accounts and pods of the stack are granted serves a need of "
        "its resources, where these are of kinds whose needs are known."
    ),
    why="A right that nobody uses is missed by nobody but who takes over the identity.",
    remediation="remove the grant, or exempt it with what uses it.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/policy-intelligence/docs/role-recommendations-overview",
    references=(Reference("NIST 800-53", "AC-6"),),
    check=_check,
)
