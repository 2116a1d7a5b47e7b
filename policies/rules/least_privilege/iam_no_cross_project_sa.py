"""Service accounts of other projects get no access."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.bindings import ACCOUNT, acts_as, binds, bound
from policies.access.grants import grants, is_grant
from policies.access.principals import is_foreign, project_of
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of
from resources.properties import Props, search, show
from resources.resource import Resource

# What runs, builds or signs as an account names it so.
_NAMED: Final = re.compile(r"email|[a-zA-Z]*[sS]erviceAccount(Email|Name)?")
_BASIC: Final = ("projectEditor", "projectOwner", "projectViewer")


def _account(name: str, value: object, _holder: Props) -> tuple[str, ...] | None:
    if not isinstance(value, str) or not _NAMED.fullmatch(name):
        return None
    return (value.rpartition("/")[2],)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedProjects")
    if kind_of(resource.type) == ACCOUNT:
        if any(is_foreign(name, allowed) for name in acts_as(resource)):
            yield "lets pods act as a service account of another project"
        return
    if any(is_foreign(name, allowed) for name in bound(resource)):
        yield "binds a role of Kubernetes to a service account of another project"
    if resource.type.startswith("gcp:") and not is_grant(resource.type):
        if any(is_foreign(name, allowed) for name in search(resource.props, _account)):
            yield "works as a service account of another project"
        return
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str):
                continue
            project = project_of(member)
            if project is not None and project not in allowed:
                yield f"grants {show(grant.role)} to {show(member)} of another project"
            kind, _, name = member.partition(":")
            # A project's number is judged where that of the stack's own is known.
            if kind in _BASIC and name and not name.isdecimal() and name not in allowed:
                yield f"grants {show(grant.role)} to whoever has a basic role in another project"


RULE: Final = ResourceRule(
    id="iam-no-cross-project-sa",
    display_name="No service accounts of other projects",
    description=(
        "Service accounts and workloads that are granted access, and those that pods, services and "
        "pushes act as, belong to the allowed projects."
    ),
    why="Whoever administers the other project can take over the account, and with it the access.",
    remediation=(
        "make a service account in the project that uses it, or allow the project in the policy "
        "config."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/attach-service-accounts#attaching-different-project",
    limits=(
        NamesLimit("allowedProjects", "Projects whose service accounts may be granted access"),
    ),
    applies=lambda resource_type: (
        resource_type.startswith("gcp:")
        or is_grant(resource_type)
        or binds(resource_type)
        or kind_of(resource_type) == ACCOUNT
    ),
    check=_check,
)
