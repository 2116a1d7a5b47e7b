"""No grant gives a basic role."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource

BASIC_ROLES: Final = frozenset(
    f"roles/{name}" for name in ("owner", "editor", "viewer", "admin", "writer", "reader")
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        if grant.role in BASIC_ROLES:
            yield f"grants the basic role {show(grant.role)}"


RULE: Final = ResourceRule(
    id="iam-no-basic-roles",
    display_name="No basic roles",
    description=(
        "Grants use predefined or custom roles, never owner, editor, viewer or their successors."
    ),
    why="A basic role holds thousands of permissions over every service of the project.",
    remediation="grant the narrowest predefined role the work needs, on the single resource.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="a basic role makes every other rule on access void",
    url="https://cloud.google.com/iam/docs/roles-overview#basic",
    references=(
        Reference("checkov", "CKV_GCP_115"),
        Reference("checkov", "CKV_GCP_116"),
        Reference("checkov", "CKV_GCP_117"),
        Reference("trivy", "GCP-0007"),
    ),
    applies=is_grant,
    check=_check,
)
