"""No organization policy is loosened for the project."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, entries, get, text
from resources.resource import Resource

_POLICY: Final = "gcp:orgpolicy/policy:Policy"
_FIRST: Final = (
    "gcp:folder/organizationPolicy:OrganizationPolicy",
    "gcp:organizations/policy:Policy",
    "gcp:projects/organizationPolicy:OrganizationPolicy",
)
# Constraints whose values let somebody or something in, rather than keep it to a place or a kind.
_LETS_IN: Final = frozenset(
    {
        "compute.restrictSharedVpcSubnetworks",
        "compute.restrictVpcPeering",
        "compute.vmCanIpForward",
        "compute.vmExternalIpAccess",
        "iam.allowServiceAccountCredentialLifetimeExtension",
        "iam.allowedPolicyMemberDomains",
        "iam.managed.allowedPolicyMembers",
        "iam.workloadIdentityPoolAwsAccounts",
        "iam.workloadIdentityPoolProviders",
    }
)
_NAME: Final = re.compile(r"(?:.*/)?(?P<constraint>[A-Za-z0-9.]+)")


def _is(value: object, *wanted: bool) -> bool:
    return value in wanted or str(value).upper() in [str(each).upper() for each in wanted]


def _first_version(props: object) -> Iterator[str]:
    if _is(get(props, "restorePolicy", "default"), True):
        yield "goes back to Google's default"
    enforced = get(props, "booleanPolicy", "enforced")
    if enforced is not MISSING and not _is(enforced, True):
        yield "is not enforced"
    if get(props, "listPolicy", "allow", "all") is not MISSING:
        yield "allows everything"


def _second_version(spec: object) -> Iterator[str]:
    if get(spec, "reset") is not MISSING and not _is(get(spec, "reset"), False):
        yield "goes back to Google's default"
    rules = entries(spec, "rules")
    for rule in rules if isinstance(rules, tuple) else ():
        enforced = get(rule, "enforce")
        if enforced is not MISSING and not _is(enforced, True):
            yield "is not enforced"
        if get(rule, "allowAll") is not MISSING and not _is(get(rule, "allowAll"), False):
            yield "allows everything"
        if _is(get(rule, "denyAll"), False):
            yield "denies nothing"


def _values(resource: Resource) -> Iterator[object]:
    """Return the values that a list constraint lets in."""
    if resource.type == _POLICY:
        rules = entries(resource.props, "spec", "rules")
        lists = [
            entries(rule, "values", "allowedValues")
            for rule in (rules if isinstance(rules, tuple) else ())
        ]
    else:
        lists = [entries(resource.props, "listPolicy", "allow", "values")]
    for each in lists:
        yield from each if isinstance(each, tuple) else ()


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    new = resource.type == _POLICY
    name = text(resource.props, "name" if new else "constraint")
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    constraint = match["constraint"] if match else ""
    if constraint in limits.names("allowedConstraints"):
        return
    found = _second_version(get(resource.props, "spec")) if new else _first_version(resource.props)
    yield from (f"the constraint {each}" for each in dict.fromkeys(found))
    allowed = limits.names("allowedValues")
    if constraint in _LETS_IN and any(
        isinstance(each, str) and each not in allowed for each in _values(resource)
    ):
        yield "the constraint lets in a value that is not allowed"


RULE: Final = ResourceRule(
    id="iam-org-policy-kept",
    display_name="Organization policies are kept",
    description=(
        "No organization policy of the stack turns a constraint off, allows everything, or lets in "
        "identities, addresses or networks that are not allowed."
    ),
    why="The constraint is what keeps every other mistake of the project from being made.",
    remediation=(
        "leave the policy to the organization, enforce it, or allow the constraint or the value in "
        "the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints",
    limits=(
        NamesLimit("allowedConstraints", "Constraints that the stack may loosen", default=()),
        NamesLimit(
            "allowedValues",
            "Values that constraints on members, addresses and networks may let in",
            default=(),
        ),
    ),
    applies=lambda resource_type: resource_type in (_POLICY, *_FIRST),
    check=_check,
)
