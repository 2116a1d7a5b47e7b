"""A deny policy denies."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, elements, entries, get, text
from resources.resource import Resource

_POLICY: Final = "gcp:iam/denyPolicy:DenyPolicy"
# Principals that take in so many that nothing is left to deny.
_EVERYBODY: Final = re.compile(
    r"principalSet://(goog/public:all(AuthenticatedUsers)?"
    r"|goog/cloudIdentityCustomerId/.+"
    r"|cloudresourcemanager\.googleapis\.com/(projects|folders|organizations)/[^/]+(/type/\w+)?"
    r"|iam\.googleapis\.com/.+/\*)",
    re.IGNORECASE,
)
_NEVER: Final = re.compile(r"\(*\s*(false|!\s*true|1\s*==\s*(?!1\b)\d+)\s*\)*|.*&&\s*false\b.*")


def _covers(exceptions: tuple[object, ...], denied: tuple[object, ...]) -> bool:
    """Return whether the exceptions name all that is denied, one by one or by a wildcard."""
    patterns = [
        re.escape(each).replace(r"\*", ".*") for each in exceptions if isinstance(each, str)
    ]
    return bool(denied) and all(
        isinstance(each, str) and any(re.fullmatch(pattern, each) for pattern in patterns)
        for each in denied
    )


def _rule(rule: object) -> Iterator[str]:
    for name in ("deniedPrincipals", "deniedPermissions"):
        if entries(rule, name) in (MISSING, ()):
            yield f"has no {name}, so it denies nothing"
    excepted, denied = (
        elements(rule, "exceptionPrincipals"),
        elements(rule, "deniedPrincipals"),
    )
    if any(isinstance(each, str) and _EVERYBODY.fullmatch(each) for each in excepted) or _covers(
        excepted, denied
    ):
        yield "excepts everybody whom it denies"
    if _covers(elements(rule, "exceptionPermissions"), elements(rule, "deniedPermissions")):
        yield "excepts every permission that it denies"
    condition = text(rule, "denialCondition", "expression")
    if isinstance(condition, str) and _NEVER.fullmatch(condition.strip()):
        yield "has a condition that never holds"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    rules = entries(resource.props, "rules")
    if rules in (MISSING, ()):
        yield "has no rule, so it denies nothing"
    for index, each in enumerate(rules if isinstance(rules, tuple) else ()):
        denies = get(each, "denyRule")
        if denies is not UNKNOWN:
            yield from (f"rules[{index}] {finding}" for finding in _rule(denies))


RULE: Final = ResourceRule(
    id="iam-deny-holds",
    display_name="Deny policies deny",
    description="Each rule of a deny policy names whom and what it denies, and does not except it.",
    why="Everybody takes what it seems to deny for denied, and it is not.",
    remediation="name principals and permissions, and narrow exceptions and the condition.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/deny-overview",
    applies=lambda resource_type: resource_type == _POLICY,
    check=_check,
)
