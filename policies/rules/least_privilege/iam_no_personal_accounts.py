"""No grant goes to a private account."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.bindings import binds, bound
from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits, NamesLimit
from policies.shared.mail import PUBLIC_MAIL
from policies.shared.rule import Reference, ResourceRule
from resources.properties import Absence, show, text
from resources.resource import Resource

# Whose groups roles of Kubernetes may be bound to.
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_MEMBERSHIP: Final = "gcp:cloudidentity/groupMembership:GroupMembership"


def _names(resource: Resource) -> Iterator[str | Absence]:
    """Yield the accounts and groups that a group, a cluster or a role of Kubernetes takes in."""
    if resource.type == _CLUSTER:
        yield text(resource.props, "authenticatorGroupsConfig", "securityGroup")
    elif resource.type == _MEMBERSHIP:
        yield from (text(resource.props, key, "id") for key in ("preferredMemberKey", "memberKey"))
    else:
        yield from bound(resource)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedDomains")
    for name in _names(resource):
        domain = name.lower().rpartition("@")[2] if isinstance(name, str) and "@" in name else ""
        own = not domain or domain in allowed or domain.endswith(".gserviceaccount.com")
        if domain in PUBLIC_MAIL or (allowed and not own):
            yield "takes in an account or group of elsewhere"
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str) or not member.startswith("user:"):
                continue
            domain = member.rpartition("@")[2]
            if domain in PUBLIC_MAIL or (allowed and domain not in allowed):
                yield f"grants {show(grant.role)} to a private account"


RULE: Final = ResourceRule(
    id="iam-no-personal-accounts",
    display_name="No private accounts",
    description=(
        "No grant, group, cluster or role of Kubernetes names an account of a public mail service "
        "or a user outside the allowed domains."
    ),
    why="Nobody in the organization can take such an account away or see how it signs in.",
    remediation="grant to a group or user of the organization.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/principals-overview#google-account",
    references=(
        Reference("CIS Google Cloud", "1.1"),
        Reference("trivy", "GCP-0069"),
    ),
    limits=(
        NamesLimit(
            "allowedDomains",
            "Domains users must belong to; none means any but public mail",
            default=(),
        ),
    ),
    applies=lambda resource_type: (
        is_grant(resource_type) or resource_type in (_CLUSTER, _MEMBERSHIP) or binds(resource_type)
    ),
    check=_check,
)
