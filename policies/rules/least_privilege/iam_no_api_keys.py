"""An API key works for some APIs and callers only."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import Absence, entries
from resources.resource import Resource

_CALLERS: Final = (
    ("androidKeyRestrictions", "allowedApplications"),
    ("browserKeyRestrictions", "allowedReferrers"),
    ("iosKeyRestrictions", "allowedBundleIds"),
    ("serverKeyRestrictions", "allowedIps"),
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if not entries(resource.props, "restrictions", "apiTargets") or isinstance(
        entries(resource.props, "restrictions", "apiTargets"), Absence
    ):
        yield "is not restricted to APIs"
    callers = [entries(resource.props, "restrictions", *path) for path in _CALLERS]
    if not any(isinstance(each, tuple) and each for each in callers):
        yield "is not restricted to callers"


RULE: Final = ResourceRule(
    id="iam-no-api-keys",
    display_name="API keys are restricted",
    description="An API key is restricted to APIs and to callers.",
    why="Whoever finds an unrestricted key can use every API of the project.",
    remediation=(
        "use a service account; or set restrictions.apiTargets and the restriction of browser, "
        "server, Android or iOS callers."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/docs/authentication/api-keys#adding-api-restrictions",
    references=(
        Reference("CIS Google Cloud", "1.13"),
        Reference("CIS Google Cloud", "1.14"),
    ),
    applies=lambda resource_type: resource_type == "gcp:projects/apiKey:ApiKey",
    check=_check,
)
