"""No custom role lets its holder gain more access."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.capabilities import ELEVATED, of_permissions
from policies.access.cloud import CUSTOM_ROLES
from policies.access.grants import short_name
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import Absence, entries, text
from resources.resource import Resource

_ESCALATES: Final = {
    **ELEVATED,
    "run-as-agent": "runs code as an agent of Google's",
    # With the right to act as an account from another role.
    "deploy": "deploys code",
    "bind-keys": "makes API keys act as accounts",
    "copy": "copies data elsewhere",
    "attest": "says that images were tested",
    "read-settings": "reads credentials",
}
# These grant permissions without a role.
_ACCESS_POLICIES: Final = (
    "gcp:iam/folderAccessPolicy:FolderAccessPolicy",
    "gcp:iam/organizationAccessPolicy:OrganizationAccessPolicy",
    "gcp:iam/projectAccessPolicy:ProjectAccessPolicy",
)
# A permission is a custom role's to hand out wherever, so every setIamPolicy counts here.
_SHARES: Final = re.compile(r"[a-z0-9.]+\.setiampolicy", re.IGNORECASE)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedPermissions")
    for permissions in _granted(resource):
        if isinstance(permissions, Absence):
            yield f"its permissions are {permissions.value}, so they cannot be checked"
            continue
        names = [short_name(each) if isinstance(each, str) else each for each in permissions]
        for permission in names:
            if not isinstance(permission, str):
                yield "one of its permissions is not known during preview, so it cannot be checked"
            elif "*" in permission:
                yield "one of its permissions has a wildcard"
            elif permission in allowed:
                continue
            elif says := _escalates(permission):
                yield f"has {permission}, which lets its holder gain more access: it {says}"


def _escalates(permission: str) -> str | None:
    found = of_permissions([permission])
    if _SHARES.fullmatch(permission):
        return ELEVATED["share"]
    return next((says for word, says in _ESCALATES.items() if word in found), None)


def _granted(resource: Resource) -> Iterator[tuple[object, ...] | Absence]:
    if resource.type in CUSTOM_ROLES:
        yield entries(resource.props, "permissions")
        return
    rules = entries(resource.props, "details", "rules")
    for rule in rules if isinstance(rules, tuple) else (rules,):
        if text(rule, "effect") != "DENY":
            yield entries(rule, "operation", "permissions")


RULE: Final = ResourceRule(
    id="iam-custom-role-no-escalation",
    display_name="No escalation through custom roles",
    description=(
        "A custom role or access policy has no permission that lets its holder gain more access, "
        "read secrets, copy data, get into workloads or lower the guards of others."
    ),
    why="Whoever holds the role could give themselves any other.",
    remediation="remove the permission, or grant a predefined role on the single resource.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="the holder could grant the exemption's end away",
    url="https://cloud.google.com/iam/docs/creating-custom-roles",
    references=(Reference("Sonar", "S6408"),),
    limits=(
        NamesLimit(
            "allowedPermissions",
            "Permissions that custom roles may have after all",
            # What begins a retraining; the account that it runs as is granted apart.
            default=("aiplatform.pipelineJobs.create",),
        ),
    ),
    applies=lambda resource_type: resource_type in (*CUSTOM_ROLES, *_ACCESS_POLICIES),
    check=_check,
)
