"""No principal holds two roles that check each other."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.grants import grant_type
from policies.rules.peek import text
from policies.rules.rule import Reference, Resource, StackFinding, StackRule
from policies.rules.wiring import members_of

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
        found = grant_type(resource.type)
        role = text(resource.props, "role")
        if found is not None and found.kind != "Policy" and isinstance(role, str):
            for member in members_of(resource):
                holders.setdefault(member, {})[role] = resource
    for roles in holders.values():
        for managing, using in _PAIRS:
            if managing in roles and using in roles:
                yield StackFinding(
                    f"grants {using} to a principal that also has {managing}", roles[using]
                )


RULE: Final = StackRule(
    id="iam-separation-of-duties",
    display_name="Duties are separated",
    description=(
        "No principal both manages and uses service accounts, or both manages and uses keys."
    ),
    why="One person or one stolen account could then do the whole thing alone, and hide it.",
    remediation="grant one of the two roles to somebody else.",
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/iam/docs/using-iam-securely",
    references=(
        Reference("CIS Google Cloud", "1.8"),
        Reference("CIS Google Cloud", "1.11"),
    ),
    check=_check,
)
