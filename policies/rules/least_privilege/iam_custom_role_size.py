"""A custom role has few permissions."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.words import plural
from policies.access.cloud import CUSTOM_ROLES
from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import Absence, entries, show
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxPermissions")
    permissions = entries(resource.props, "permissions")
    if isinstance(permissions, Absence):
        yield f"its permissions are {permissions.value}, so they cannot be counted"
    elif len(permissions) > cap:
        yield f"has {plural(len(permissions), 'permission')}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="iam-custom-role-size",
    display_name="Custom roles are small",
    description="A custom role has no more permissions than the cap.",
    why="Nobody reviews a role of hundreds of permissions; it becomes a basic role of one's own.",
    remediation="split the role by task, or grant a predefined role on the single resource.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/iam/docs/creating-custom-roles",
    limits=(NumberLimit("maxPermissions", "Most permissions of one custom role", default=40),),
    applies=lambda resource_type: resource_type in CUSTOM_ROLES,
    check=_check,
)
