"""Elevated access, and access of single persons, ends by itself."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import show
from resources.resource import Resource

_EXPIRY: Final = re.compile(r"""request\.time\s*<=?\s*timestamp\(\s*["']([^"']{10,40})["']\s*\)""")
_EITHER: Final = re.compile(r"\|\||!|\?")


def _end(expression: str) -> datetime | None:
    """When the condition stops to hold, None if it need not: an `or` may keep it true."""
    match = None if _EITHER.search(expression) else _EXPIRY.search(expression)
    try:
        end = datetime.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
    return end.replace(tzinfo=end.tzinfo or UTC) if end else None


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    elevated = limits.names("elevatedRoles")
    latest = limits.number("maxDays")
    for grant in grants(resource):
        personal = any(
            isinstance(member, str) and member.startswith("user:") for member in grant.members
        )
        if grant.role not in elevated and not personal:
            continue
        end = _end(grant.condition) if isinstance(grant.condition, str) else None
        if end is None:
            yield f"grants {show(grant.role)} without an end"
        elif (end - datetime.now(UTC)).total_seconds() > latest * 86400:
            yield f"grants {show(grant.role)} for more than {show(latest)} days"


RULE: Final = ResourceRule(
    id="iam-temporary-needs-expiry",
    display_name="Elevated access expires",
    description=(
        "A grant of an elevated role, or to a single person, has a condition that ends it "
        "within the allowed days."
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
            "Roles that are granted for a time only",
            default=(
                "roles/iam.securityAdmin",
                "roles/resourcemanager.projectIamAdmin",
                "roles/iam.serviceAccountAdmin",
                "roles/compute.admin",
                "roles/container.admin",
            ),
        ),
        NumberLimit("maxDays", "Longest time such a grant may last, in days", default=7),
    ),
    applies=is_grant,
    check=_check,
)
