"""Persons get access through groups."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        for member in grant.members:
            if isinstance(member, str) and member.startswith("user:"):
                yield f"grants {show(grant.role)} to a single user"


RULE: Final = ResourceRule(
    id="iam-prefer-groups",
    display_name="Groups instead of persons",
    description="Grants name groups, not single users.",
    why="Who leaves or changes teams keeps access that is granted to the person.",
    remediation="grant to a group, and give the person membership.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/iam/docs/groups-best-practices",
    references=(Reference("trivy", "GCP-0003"),),
    applies=is_grant,
    check=_check,
)
