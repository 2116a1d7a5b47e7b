"""No grant goes to a default service account."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.default_accounts import is_default_account
from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        for member in grant.members:
            if isinstance(member, str) and is_default_account(member):
                yield f"grants {show(grant.role)} to the default service account {show(member)}"


RULE: Final = ResourceRule(
    id="iam-no-default-sa-grant",
    display_name="No grants to default service accounts",
    description=(
        "Nothing is granted to the default service account of Compute Engine, App Engine or Cloud "
        "Build."
    ),
    why="Everything that names no account of its own runs as it and would share the access.",
    remediation="make a service account for the workload and grant it there.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/service-account-types#default",
    references=(
        Reference("checkov", "CKV_GCP_46"),
        Reference("checkov", "CKV_GCP_47"),
        Reference("checkov", "CKV_GCP_48"),
        Reference("trivy", "GCP-0004"),
        Reference("trivy", "GCP-0006"),
        Reference("trivy", "GCP-0008"),
    ),
    applies=is_grant,
    check=_check,
)
