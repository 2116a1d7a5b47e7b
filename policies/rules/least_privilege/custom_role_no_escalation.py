"""No custom role lets its holder gain more access."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NamesLimit
from policies.rules.peek import Absence, entries
from policies.rules.rule import Reference, Resource, ResourceRule

_ROLES: Final = (
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    "gcp:organizations/iAMCustomRole:IAMCustomRole",
)
# Each alone lets its holder act as another account or change what someone may do.
ESCALATING: Final = re.compile(
    r"iam\.serviceAccounts\.(actAs|getAccessToken|getOpenIdToken|signBlob|signJwt|implicitDelegation)"
    r"|iam\.serviceAccountKeys\.create"
    r"|iam\.roles\.(create|update)"
    r"|[A-Za-z.]+\.setIamPolicy"
    r"|deploymentmanager\.deployments\.create"
    r"|cloudbuild\.builds\.create"
    r"|orgpolicy\.policy\.set"
    r"|storage\.hmacKeys\.create"
    r"|serviceusage\.apiKeys\.create"
    r"|container\.clusterRoleBindings\.create"
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedPermissions")
    permissions = entries(resource.props, "permissions")
    if isinstance(permissions, Absence):
        yield f"its permissions are {permissions.value}, so they cannot be checked"
        return
    for permission in permissions:
        if not isinstance(permission, str):
            yield "one of its permissions is not known during preview, so it cannot be checked"
        elif "*" in permission:
            yield "one of its permissions has a wildcard"
        elif permission not in allowed and ESCALATING.fullmatch(permission):
            yield f"has {permission}, which lets its holder gain more access"


RULE: Final = ResourceRule(
    id="iam-custom-role-no-escalation",
    display_name="No escalation through custom roles",
    description="A custom role has no permission that lets its holder gain more access.",
    why="Whoever holds the role could give themselves any other.",
    remediation="remove the permission, or grant a predefined role on the single resource.",
    severity=Severity.CRITICAL,
    url="https://cloud.google.com/iam/docs/creating-custom-roles",
    references=(Reference("Sonar", "S6408"),),
    limits=(NamesLimit("allowedPermissions", "Permissions that custom roles may have after all"),),
    applies=lambda resource_type: resource_type in _ROLES,
    check=_check,
)
