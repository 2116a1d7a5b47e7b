"""What identities need for the stack's resources to work, they are granted."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.model import shown
from policies.access.needs import balance_of
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.resource import Resource


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    for wanted, missing in balance_of(resources).missing():
        who = shown(wanted.principal or "")
        yield StackFinding(
            f"needs that {who} holds {', '.join(missing)} on {wanted.on}, "
            "which no grant of the stack gives",
            wanted.resource,
        )


RULE: Final = StackRule(
    id="iam-needs-granted",
    display_name="Needs are granted",
    description=(
        "Each identity holds the permissions that the resources of the stack need it to have: "
        "agents of Pub/Sub, Monitoring and others, workloads, nodes."
    ),
    why="It deploys, and fails at the first message, image, secret or key.",
    remediation=(
        "grant a role with these permissions on that resource, or exempt it where another stack "
        "does so."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/iam/docs/service-agents",
    check=_check,
)
