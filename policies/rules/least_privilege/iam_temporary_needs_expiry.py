"""Elevated access, and access of single persons, ends by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.capabilities import elevated, of_role
from policies.access.conditions import end_of
from policies.access.grants import ENTITLEMENT, Grant, grants, is_grant, reaches_far
from policies.access.principals import is_agent, is_workload
from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import ResourceRule
from resources.durations import seconds
from resources.properties import MISSING, UNKNOWN, Absence, entries, get, number, show
from resources.resource import Resource

_DAY: Final = 86400


def _for_people(member: str | Absence) -> bool:
    """Tell whether a grant to this member is one that people have: other rules judge workloads."""
    if isinstance(member, Absence):
        return member is MISSING
    return not (is_agent(member) or is_workload(member) or member.startswith("projectOwner:"))


def _why(grant: Grant, further: tuple[str, ...], *, wide: bool) -> str | None:
    """Return why a grant must end, None for one that may stay."""
    if not any(map(_for_people, grant.members)):
        return None
    if isinstance(grant.role, str):
        if grant.role in further:
            return "is elevated"
        found = elevated(grant.role, wide=wide)
        if found is not None:
            return found
        # A pipeline deploys, and its account is a workload's.
        if wide and "deploy" in (of_role(grant.role) or ()):
            return "deploys code"
    personal = (m.startswith("user:") for m in grant.members if isinstance(m, str))
    return "is a single person's" if any(personal) else None


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type == ENTITLEMENT:
        yield from _entitlement(resource, limits)
        return
    latest = limits.number("maxDays")
    for grant in grants(resource):
        why = _why(grant, limits.names("elevatedRoles"), wide=reaches_far(resource.type))
        if why is None:
            continue
        end = end_of(grant.condition) if isinstance(grant.condition, str) else None
        if end is None:
            yield f"grants {show(grant.role)} without an end ({why})"
        elif (end - datetime.now(UTC)).total_seconds() > latest * _DAY:
            yield f"grants {show(grant.role)} for more than {show(latest, 'day')} ({why})"


def _entitlement(resource: Resource, limits: Limits) -> Iterator[str]:
    """Check that what is lent ends, and that somebody else agrees to it."""
    latest = limits.number("maxDays")
    longest = seconds(resource.props, "maxRequestDuration")
    if not isinstance(longest, float) or longest > latest * _DAY:
        yield f"lends roles for more than {show(latest, 'day')}, or for a time that is not known"
    lends = [grant.role for grant in grants(resource) if grant.role is not MISSING]
    if all(isinstance(role, str) and elevated(role, wide=True) is None for role in lends):
        return
    steps = entries(resource.props, "approvalWorkflow", "manualApprovals", "steps")
    if not isinstance(steps, tuple) or not steps or not all(map(_approves, steps)):
        yield "lends an elevated role that nobody needs to approve"


def _approves(step: object) -> bool:
    who = entries(step, "approvers", "principals")
    enough = number(step, "approvalsNeeded")
    named = who is UNKNOWN or (isinstance(who, tuple) and bool(who))
    return named and get(step, "approvers") is not MISSING and enough != 0


RULE: Final = ResourceRule(
    id="iam-temporary-needs-expiry",
    display_name="Elevated access expires",
    description=(
        "A grant of an elevated role to people, or of any to a single person, has a condition that "
        "ends it within the allowed days; what is lent on request needs approval as well."
    ),
    why=(
        "Access given for an emergency or a test stays for years when someone must remember to "
        "take it away."
    ),
    remediation=(
        'set condition.expression to request.time < timestamp("..."), a date within the allowed '
        "days."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/configuring-temporary-access",
    limits=(
        NamesLimit(
            "elevatedRoles",
            "Roles that are granted for a time only, beside those that can grant, act as others, "
            "read secrets or change policies, logs and networks",
            default=(),
        ),
        NumberLimit("maxDays", "Longest time such a grant may last, in days", default=7),
    ),
    applies=is_grant,
    check=_check,
)
