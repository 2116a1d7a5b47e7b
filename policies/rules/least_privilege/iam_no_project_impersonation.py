"""No one may act as every service account of a project."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_wide
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource

IMPERSONATION_ROLES: Final = frozenset(
    {
        "roles/iam.serviceAccountUser",
        "roles/iam.serviceAccountTokenCreator",
        "roles/iam.serviceAccountOpenIdTokenCreator",
        "roles/iam.serviceAccountKeyAdmin",
        "roles/iam.workloadIdentityUser",
    }
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        if grant.role in IMPERSONATION_ROLES:
            yield f"grants {show(grant.role)} on a whole project, folder or organization"


RULE: Final = ResourceRule(
    id="iam-no-project-impersonation",
    display_name="No impersonation at project level",
    description=(
        "Roles that act as a service account are granted on that account, never on a project, "
        "folder or organization."
    ),
    why="At project level the member may become any service account there, also those made later.",
    remediation="grant it on the one account with gcp.serviceaccount.IAMMember.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="the member may become any account of the project",
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts#project-folder-grants",
    references=(
        Reference("CIS Google Cloud", "1.6"),
        Reference("checkov", "CKV_GCP_41"),
        Reference("trivy", "GCP-0005"),
        Reference("trivy", "GCP-0009"),
        Reference("trivy", "GCP-0011"),
    ),
    applies=is_wide,
    check=_check,
)
