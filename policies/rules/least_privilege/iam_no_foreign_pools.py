"""Identities from pools and projects of others get no access."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity
from pulumi_policy.proxy import UnknownValueError

from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import StackFinding, StackRule
from resources.properties import UnreadableError, note_unknown, show, text
from resources.resource import Resource, Stack, stack_of

# Where the number of the stack's own project stands once the cloud has answered.
_OWN: Final = {
    "gcp:projects/serviceIdentity:ServiceIdentity": "email",
    "gcp:storage/bucket:Bucket": "projectNumber",
    "gcp:organizations/project:Project": "number",
}
_NUMBER: Final = re.compile(r"(?:service-)?(\d+)(?:@.*)?")
_POOL: Final = re.compile(
    r"principal(?:Set)?://iam\.googleapis\.com/(?P<pool>projects/(?P<number>[^/]+)/locations/[^/]+"
    r"/workloadIdentityPools/(?!.*\.svc\.id\.goog/)[^/]+)/.+"
)
_WORKFORCE: Final = re.compile(
    r"principal(?:Set)?://iam\.googleapis\.com/(?P<pool>locations/[^/]+/workforcePools/[^/]+)/.+"
)
# Google's agents, default accounts and basic roles of a project are named by its number.
_OF_PROJECT: Final = re.compile(
    r"serviceAccount:(?:service-)?(\d+)(?:-compute)?@.+|project(?:Owner|Editor|Viewer):(\d+)"
)


def _own_numbers(stack: Stack) -> frozenset[str]:
    found = (
        _NUMBER.fullmatch(value)
        for token, prop in _OWN.items()
        for each in stack.by_type.get(token, ())
        if isinstance(value := text(each.props, prop), str)
    )
    return frozenset(match[1] for match in found if match)


def _foreign(member: str, own: frozenset[str], limits: Limits) -> str | None:
    """Return whose identity a member is, None where it is the project's own or cannot be told."""
    workforce = _WORKFORCE.fullmatch(member)
    if workforce:
        known = workforce["pool"] in limits.names("allowedPools")
        return None if known else "a workforce pool that is not allowed"
    pool = _POOL.fullmatch(member)
    project = _OF_PROJECT.fullmatch(member)
    if pool and pool["pool"] in limits.names("allowedPools"):
        return None
    number = pool["number"] if pool else (project[1] or project[2]) if project else None
    if number is None or number in limits.names("allowedNumbers"):
        return None
    if not own:
        note_unknown()
        return None
    if number in own:
        return None
    return "a workload identity pool of another project" if pool else "another project"


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    stack = stack_of(resources)
    own = _own_numbers(stack)
    for resource in stack:
        if not is_grant(resource.type):
            continue
        try:
            made = list(grants(resource))
        except (UnknownValueError, UnreadableError):
            # Other rules tell of a document that cannot be read.
            continue
        for grant in made:
            for member in grant.members:
                whose = _foreign(member, own, limits) if isinstance(member, str) else None
                if whose:
                    yield StackFinding(
                        f"grants {show(grant.role)} to an identity of {whose}", resource
                    )


RULE: Final = StackRule(
    id="iam-no-foreign-pools",
    display_name="No identities of foreign pools and projects",
    description=(
        "Federated identities that are granted access come from pools of the stack's own project or"
        " from allowed ones, and Google's agents are those of the stack's own project."
    ),
    why="Whoever administers the other pool or project decides who the member is.",
    remediation=(
        "federate through a pool of this project, or allow the pool or the project's number in the "
        "policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/principal-identifiers",
    limits=(
        NamesLimit(
            "allowedPools",
            "Pools elsewhere whose identities may be granted access, such as "
            "locations/global/workforcePools/NAME",
            default=(),
        ),
        NamesLimit(
            "allowedNumbers",
            "Numbers of other projects whose pools and agents may be granted access",
            default=(),
        ),
    ),
    check=_check,
)
