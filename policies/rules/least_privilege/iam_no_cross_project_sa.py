"""Service accounts of other projects get no access."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.bindings import ACCOUNT, acts_as, binds, bound
from policies.access.grants import grants, is_grant
from policies.access.principals import is_foreign, project_of
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of
from resources.properties import show
from resources.resource import Resource

_BASIC: Final = ("projectEditor", "projectOwner", "projectViewer")


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedProjects")
    if kind_of(resource.type) == ACCOUNT:
        if any(is_foreign(name, allowed) for name in acts_as(resource)):
            yield "lets pods act as a service account of another project"
        return
    if any(is_foreign(name, allowed) for name in bound(resource)):
        yield "binds a role of Kubernetes to a service account of another project"
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
        "Service accounts and workloads that are granted access, and those that pods act as, "
        "belong to the allowed projects."
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
        is_grant(resource_type) or binds(resource_type) or kind_of(resource_type) == ACCOUNT
    ),
    check=_check,
)
