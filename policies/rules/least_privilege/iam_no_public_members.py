"""No grant is open to the public."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_grant
from policies.access.model import PUBLIC
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        for member in grant.members:
            if member in PUBLIC:
                yield f"grants {show(grant.role)} to {member}"


RULE: Final = ResourceRule(
    id="iam-no-public-members",
    display_name="No public members",
    description="No grant names allUsers or allAuthenticatedUsers.",
    why="Anyone on the internet, or anyone with a Google account, could use it.",
    remediation="name the service accounts or groups that need the access.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="what the whole internet may read or call is never an exception",
    url="https://cloud.google.com/iam/docs/principals-overview#all-users",
    references=(
        Reference("CIS Google Cloud", "5.1"),
        Reference("CIS Google Cloud", "7.1"),
        Reference("checkov", "CKV_GCP_28"),
        Reference("trivy", "GCP-0001"),
    ),
    applies=is_grant,
    check=_check,
)
