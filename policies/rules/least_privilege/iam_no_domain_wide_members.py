"""No grant goes to a whole domain or workload pool, or to a group elsewhere."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.capabilities import elevated
from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.properties import show
from resources.resource import Resource

_WHOLE_SET: Final = re.compile(
    r"principalSet://(.*/\*|(cloudresourcemanager\.googleapis\.com|goog)/.*)"
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedDomains")
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str):
                continue
            kind, _, name = member.partition(":")
            domain = name if kind == "domain" else name.rpartition("@")[2]
            if kind in ("projectEditor", "projectViewer"):
                yield f"grants {show(grant.role)} to everyone who has a basic role on a project"
            if kind == "domain" and domain not in allowed:
                yield f"grants {show(grant.role)} to a whole domain"
            elif kind == "domain" and isinstance(grant.role, str):
                why = elevated(grant.role, wide=True)
                if why is not None:
                    yield f"grants {show(grant.role)}, which {why}, to a whole domain"
            elif kind == "group" and domain not in allowed:
                yield f"grants {show(grant.role)} to a group outside the allowed domains"
            elif _WHOLE_SET.fullmatch(member):
                yield f"grants {show(grant.role)} to a whole pool or project of principals"


RULE: Final = ResourceRule(
    id="iam-no-domain-wide-members",
    display_name="No grants to whole domains",
    description=(
        "No grant names a whole domain or workload pool, the editors or viewers of a project, or a "
        "group outside the allowed domains, and an allowed domain gets no elevated role."
    ),
    why=(
        "Everyone who joins the domain, the pool or the other organization's group gets the access."
    ),
    remediation="name the group, service account or single workload that needs the access.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/principal-identifiers",
    references=(Reference("CIS Google Cloud", "1.1"),),
    limits=(
        NamesLimit(
            "allowedDomains", "Domains whose groups, or who as a whole, may be granted access"
        ),
    ),
    applies=is_grant,
    check=_check,
)
