"""No resource owns all members of a role on a project, folder or organization."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grant_type
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import show, text
from resources.resource import Resource


def _applies(token: str) -> bool:
    found = grant_type(token)
    return found is not None and found.wide is not None and found.kind == "Binding"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    found = grant_type(resource.type)
    if found is not None:
        yield f"owns all members of {show(text(resource.props, 'role'))} on a {found.wide}"


RULE: Final = ResourceRule(
    id="iam-no-project-binding",
    display_name="No authoritative bindings on projects",
    description="No IAMBinding is made on a project, folder or organization.",
    why=(
        "It removes every other member of the role, also those that another stack or a service "
        "agent needs."
    ),
    remediation="use the IAMMember resource, one per grant.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://www.pulumi.com/registry/packages/gcp/api-docs/projects/iambinding/",
    applies=_applies,
    check=_check,
)
