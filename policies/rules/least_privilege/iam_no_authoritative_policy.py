"""No resource owns the whole IAM policy of a project, folder or organization."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grant_type
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.resource import Resource


def _applies(token: str) -> bool:
    found = grant_type(token)
    return found is not None and found.wide is not None and found.kind == "Policy"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    found = grant_type(resource.type)
    if found is not None:
        yield f"replaces the whole IAM policy of a {found.wide}"


RULE: Final = ResourceRule(
    id="iam-no-authoritative-policy",
    display_name="No authoritative IAM policy",
    description="No resource owns the whole IAM policy of a project, folder or organization.",
    why="It removes every grant it does not list, among them those Google's service agents need.",
    remediation="use the IAMMember resource, one per grant.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    never_exempt="it removes grants that no rule sees",
    url="https://www.pulumi.com/registry/packages/gcp/api-docs/projects/iampolicy/",
    applies=_applies,
    check=_check,
)
