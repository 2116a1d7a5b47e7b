"""No workload's service account administers a project, or what it works on."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.capabilities import BY_HAND, elevated
from policies.access.grants import grants, is_grant, is_wide, reaches_far
from policies.access.principals import is_workload
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource

_ADMIN_ROLE: Final = re.compile(r"roles/(.*admin|owner|editor)", re.IGNORECASE)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedRoles")
    wide = is_wide(resource.type)
    for grant in grants(resource):
        role = grant.role
        if not isinstance(role, str) or role in allowed:
            continue
        why = elevated(role, wide=reaches_far(resource.type), enough=BY_HAND)
        if why is None and not (wide and _ADMIN_ROLE.fullmatch(role)):
            continue
        for member in grant.members:
            if isinstance(member, str) and is_workload(member):
                where = "a project, folder or organization" if wide else "a single resource"
                yield f"grants {show(role)} to {show(member)} on {where}" + (
                    f", which {why}" if why else ""
                )


RULE: Final = ResourceRule(
    id="iam-no-admin-for-workload-sa",
    display_name="No administrator roles for workloads",
    description=(
        "A workload's service account or pod has no administrator role on a project, folder or "
        "organization, and none on a single resource that lets it share or own that, or replace "
        "what others run."
    ),
    why="Whoever takes over the workload would administer what it was only to use.",
    remediation="grant a user, writer or viewer role, on the single resource.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts",
    references=(
        Reference("CIS Google Cloud", "1.5"),
        Reference("checkov", "CKV_GCP_42"),
        Reference("trivy", "GCP-0007"),
    ),
    limits=(
        NamesLimit(
            "allowedRoles", "Administrator roles that workloads may have after all", default=()
        ),
    ),
    applies=is_grant,
    check=_check,
)
