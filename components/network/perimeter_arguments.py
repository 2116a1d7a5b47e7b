"""The arguments of VpcPerimeter."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Entries
from catalog.limits import network as limits

DRY_RUN = "dry-run"
ENFORCED = "enforced"
ANY = "*"


class AccessLevel(TypedDict):
    """Conditions a caller from outside must all meet; give one or more."""

    ip_subnetworks: NotRequired[Sequence[str]]
    """Public address ranges in CIDR notation, one of which the call comes from."""
    members: NotRequired[Sequence[Annotated[str, limits.MEMBER]]]
    """`user:<email>` or `serviceAccount:<email>`, one of which makes the call."""
    regions: NotRequired[Sequence[Annotated[str, limits.COUNTRY]]]
    """Countries, ISO 3166-1 alpha-2, one of which the call comes from."""


class RuleFrom(TypedDict):
    """Who calls, and from where."""

    identities: NotRequired[Sequence[Annotated[str, limits.IDENTITY]]]
    """`user:`, `serviceAccount:` or `group:` with an email, or `principal://` or
    `principalSet://`. Give these or `identity_type`."""
    identity_type: NotRequired[Annotated[str | None, limits.IDENTITY_TYPE]]
    """ANY_IDENTITY, ANY_USER_ACCOUNT or ANY_SERVICE_ACCOUNT."""
    access_levels: NotRequired[Sequence[str]]
    """Keys of `access_levels`, or `*` for any place (ingress only)."""
    projects: NotRequired[Sequence[Annotated[str, limits.PROJECT_NUMBER]]]
    """Numbers of projects the call comes from."""


class RuleTo(TypedDict):
    """What is called."""

    services: Annotated[
        Mapping[Annotated[str, limits.API_OR_ALL], Sequence[Annotated[str, limits.METHOD]]],
        Entries("an API name, or '*'"),
    ]
    """API methods or permissions, or `*` for all, by API name; `*` as a name for all APIs."""
    projects: NotRequired[Sequence[Annotated[str, limits.PROJECT_NUMBER]]]
    """Numbers of projects called, or `*`; default for ingress: `*`, all of the perimeter."""


class IngressRule(TypedDict):
    """Lets a call in."""

    ingress_from: RuleFrom
    """Who calls; at least one access level or project."""
    ingress_to: RuleTo
    """What is called, inside."""


class EgressRule(TypedDict):
    """Lets a call out."""

    egress_from: RuleFrom
    """Who calls, inside."""
    egress_to: RuleTo
    """What is called, outside; `projects` must be given."""


class VpcPerimeterArgs(TypedDict):
    """Arguments of VpcPerimeter."""

    project_number: pulumi.Input[str]
    """Number of the project inside the perimeter."""
    organization: NotRequired[pulumi.Input[str]]
    """Number of the organization; needed unless `access_policy` is given."""
    access_policy: NotRequired[pulumi.Input[str] | None]
    """Number of an existing access policy; default: one is made, scoped to the project."""
    title: Annotated[str, limits.TITLE]
    """Title of the perimeter, unique in the policy."""
    mode: Annotated[str, limits.MODE]
    """Whether breaches are refused, or only logged."""
    restricted_services: Annotated[Sequence[Annotated[str, limits.API]], Entries("an API name")]
    """API names whose data may not cross the border."""
    vpc_accessible_services: NotRequired[Sequence[Annotated[str, limits.API]]]
    """API names that workloads inside may call; default: the restricted ones."""
    access_levels: NotRequired[Mapping[str, AccessLevel]]
    """Callers from outside, by name."""
    ingress: NotRequired[Sequence[IngressRule]]
    """Calls let in."""
    egress: NotRequired[Sequence[EgressRule]]
    """Calls let out."""
    deletion_protection: NotRequired[bool]
    """Whether the perimeter and a policy made here are protected from deletion; default false."""


def levels_in_rules(args: VpcPerimeterArgs) -> set[str]:
    """Return the keys of the access levels that a rule names."""
    sources = [rule["ingress_from"] for rule in args.get("ingress", ())]
    sources += [rule["egress_from"] for rule in args.get("egress", ())]
    return {key for source in sources for key in source.get("access_levels", ())} - {ANY}
