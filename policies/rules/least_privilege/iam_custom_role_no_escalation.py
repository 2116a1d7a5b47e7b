"""No custom role lets its holder gain more access."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import short_name
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import Absence, entries, text
from resources.resource import Resource

_ROLES: Final = (
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    "gcp:organizations/iAMCustomRole:IAMCustomRole",
)
# These grant permissions without a role.
_ACCESS_POLICIES: Final = (
    "gcp:iam/folderAccessPolicy:FolderAccessPolicy",
    "gcp:iam/organizationAccessPolicy:OrganizationAccessPolicy",
    "gcp:iam/projectAccessPolicy:ProjectAccessPolicy",
)
# Each alone lets its holder act as another account or change what someone may do.
ESCALATING: Final = re.compile(
    r"iam\.serviceAccounts\.(actAs|getAccessToken|getOpenIdToken|signBlob|signJwt|implicitDelegation)"
    r"|iam\.serviceAccountKeys\.create"
    r"|iam\.roles\.(create|update)"
    r"|iam\.workloadIdentityPoolProviders\.(create|update)"
    r"|iam\.denypolicies\.(update|delete)"
    r"|[A-Za-z0-9.]+\.setIamPolicy"
    r"|deploymentmanager\.deployments\.(create|update)"
    r"|cloudbuild\.builds\.(create|update)"
    r"|orgpolicy\.(policy\.set|policies\.(create|update|delete))"
    r"|storage\.hmacKeys\.create"
    r"|serviceusage\.apiKeys\.create|apikeys\.keys\.(create|getKeyString)"
    r"|container\.(clusterRoleBindings|roleBindings)\.(create|update)"
    r"|container\.(clusterRoles|roles)\.(bind|escalate)",
    re.IGNORECASE,
)
# Each runs code; with the right to act as an account, as that account.
_RUNNING: Final = re.compile(
    r"run\.services\.(create|update)|run\.(jobs|workerpools)\.(create|update)"
    r"|compute\.instances\.(create|setMetadata|setServiceAccount)"
    r"|compute\.projects\.setCommonInstanceMetadata"
    r"|container\.pods\.[a-z]*(create|update|exec|attach)[a-z]*"
    r"|cloudfunctions\.functions\.(create|update|sourceCodeSet|call)"
    r"|aiplatform\.customJobs\.create|cloudscheduler\.jobs\.(create|update)"
    r"|composer\.environments\.(create|update|executeAirflowCommand)"
    r"|dataflow\.jobs\.create|dataproc\.(clusters|jobs|batches)\.create"
    r"|workflows\.workflows\.(create|update)|notebooks\.instances\.create",
    re.IGNORECASE,
)
_ACT_AS: Final = "iam.serviceaccounts.actas"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedPermissions")
    for permissions in _granted(resource):
        if isinstance(permissions, Absence):
            yield f"its permissions are {permissions.value}, so they cannot be checked"
            continue
        names = [short_name(each) if isinstance(each, str) else each for each in permissions]
        acts = any(isinstance(each, str) and each.lower() == _ACT_AS for each in names)
        for permission in names:
            if not isinstance(permission, str):
                yield "one of its permissions is not known during preview, so it cannot be checked"
            elif "*" in permission:
                yield "one of its permissions has a wildcard"
            elif permission in allowed:
                continue
            elif ESCALATING.fullmatch(permission):
                yield f"has {permission}, which lets its holder gain more access"
            elif acts and _RUNNING.fullmatch(permission):
                yield f"has {permission} beside iam.serviceAccounts.actAs: code runs as any account"


def _granted(resource: Resource) -> Iterator[tuple[object, ...] | Absence]:
    if resource.type in _ROLES:
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
        "A custom role or access policy has no permission that lets its holder gain more access."
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
            "allowedPermissions", "Permissions that custom roles may have after all", default=()
        ),
    ),
    applies=lambda resource_type: resource_type in (*_ROLES, *_ACCESS_POLICIES),
    check=_check,
)
