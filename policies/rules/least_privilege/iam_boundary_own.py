"""Principal access boundaries keep to the own organization."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.projects import own_projects
from policies.shared.rule import StackFinding, StackRule
from resources.properties import all_at, text
from resources.resource import Resource, stack_of

_BOUNDARY: Final = "gcp:iam/principalAccessBoundaryPolicy:PrincipalAccessBoundaryPolicy"
# Those of folders and projects do not say which organization is their own.
_BINDING: Final = "gcp:iam/organizationsPolicyBinding:OrganizationsPolicyBinding"
_BOUND: Final = (("policy",), ("target", "principalSet"))
_REACHED: Final = ("details", "rules", "*", "resources", "*")
_ORGANIZATION: Final = re.compile(r"(?:.*/)?organizations/(?P<name>[^/]+)(?:/.*)?")
_PROJECT: Final = re.compile(r"//cloudresourcemanager\.googleapis\.com/projects/(?P<name>[^/]+)")


def _is_other(pattern: re.Pattern[str], value: object, own: Sequence[object]) -> bool:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    return match is not None and match["name"] not in own


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    named = limits.names("projects")
    projects = (*own_projects(stack, named), *named)
    for each in stack.by_type.get(_BOUNDARY, ()):
        own = (text(each.props, "organization"), *limits.names("organizations"))
        for place in all_at(each.props, _REACHED):
            if _is_other(_ORGANIZATION, place, own):
                yield StackFinding("lets principals reach another organization", each)
            elif projects and _is_other(_PROJECT, place, projects):
                yield StackFinding("lets principals reach a project that is not named", each)
    for each in stack.by_type.get(_BINDING, ()):
        own = (text(each.props, "organization"), *limits.names("organizations"))
        if any(_is_other(_ORGANIZATION, text(each.props, *path), own) for path in _BOUND):
            yield StackFinding("binds a boundary or principals of another organization", each)


RULE: Final = StackRule(
    id="iam-boundary-own",
    display_name="Access boundaries keep to the own organization",
    description=(
        "What a principal access boundary lets principals reach, and whom it is bound to, is of "
        "the own organization and of the projects that are named."
    ),
    why="A boundary that takes in somebody else's resources lets stolen accounts carry data there.",
    remediation="name resources of the own organization, or allow the other one in the limits.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/principal-access-boundary-policies",
    limits=(
        NamesLimit("organizations", "Numbers of other organizations in a boundary", default=()),
        NamesLimit(
            "projects", "Projects in a boundary; where none is named, the stack's", default=()
        ),
    ),
    check=_check,
)
