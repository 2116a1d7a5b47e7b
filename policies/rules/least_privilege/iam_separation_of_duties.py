"""No principal holds two roles that check each other."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity
from pulumi_policy.proxy import UnknownValueError

from policies.access.grants import Grant, grants, is_grant
from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import UnreadableError, note_unknown
from resources.resource import Resource

_PAIRS: Final = (
    ("roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser"),
    ("roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountTokenCreator"),
    ("roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypterDecrypter"),
    ("roles/cloudkms.admin", "roles/cloudkms.cryptoKeyEncrypter"),
    ("roles/cloudkms.admin", "roles/cloudkms.cryptoKeyDecrypter"),
)


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    holders: dict[str, dict[str, Resource]] = {}
    for resource in resources:
        for grant in _grants(resource) if is_grant(resource.type) else ():
            if isinstance(grant.role, str):
                for member in _holders(grant, resource):
                    holders.setdefault(member, {})[grant.role] = resource
    for roles in holders.values():
        for managing, using in _PAIRS:
            if managing in roles and using in roles:
                yield StackFinding(
                    f"grants {using} to a principal that also has {managing}", roles[using]
                )


def _grants(resource: Resource) -> list[Grant]:
    try:
        return list(grants(resource))
    except (UnknownValueError, UnreadableError):
        note_unknown()
        return []


def _holders(grant: Grant, resource: Resource) -> Iterator[str]:
    """Yield the members, those that are not known yet by what they are wired from."""
    for member in grant.members:
        if isinstance(member, str):
            yield member
        else:
            for prop in ("member", "members", "policyData"):
                yield from resource.dependencies.get(prop, ())


RULE: Final = StackRule(
    id="iam-separation-of-duties",
    display_name="Duties are separated",
    description=(
        "No principal both manages and uses service accounts, or both manages and uses keys."
    ),
    why="One person or one stolen account could then do the whole thing alone, and hide it.",
    remediation="grant one of the two roles to somebody else.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/iam/docs/using-iam-securely",
    references=(
        Reference("CIS Google Cloud", "1.8"),
        Reference("CIS Google Cloud", "1.11"),
    ),
    check=_check,
)
