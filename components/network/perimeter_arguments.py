"""The arguments of VpcPerimeter, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Entries
from catalog.limits import network as limits
from catalog.limits.perimeter import perimeter
from catalog.problems import Problem
from components.validation import Problems

DRY_RUN = "dry-run"
ENFORCED = "enforced"

_NO_POLICY = Problem(
    ("organization",),
    "nothing",
    "the organization's number",
    "give it, or access_policy where the organization has a policy",
)


class Condition(TypedDict):
    """What a caller from outside must be, all of it; give one or more."""

    ip_subnetworks: NotRequired[Sequence[Annotated[str, limits.PUBLIC_RANGE]]]
    """Public address ranges in CIDR notation, one of which the call comes from."""
    members: NotRequired[Sequence[Annotated[str, limits.MEMBER]]]
    """Users and service accounts, one of which makes the call."""
    regions: NotRequired[Sequence[Annotated[str, limits.COUNTRY]]]
    """Countries, ISO 3166-1 alpha-2, one of which the call comes from."""
    networks: NotRequired[
        Mapping[Annotated[str, limits.NETWORK], Sequence[Annotated[str, limits.PRIVATE_RANGE]]]
    ]
    """VPC networks, one of which the call comes from, each with the ranges it may come from; none:
    all of the network. Not beside `ip_subnetworks`."""


class AccessLevel(Condition):
    """What a caller from outside must be: all of it, or any of several conditions."""

    any_of: NotRequired[Sequence[Condition]]
    """Conditions, one of which is enough; nothing else then."""


class RuleFrom(TypedDict):
    """Who calls, and from where."""

    identities: NotRequired[Sequence[Annotated[str, limits.IDENTITY]]]
    """Who calls; instead of `identity_type`."""
    identity_type: NotRequired[Annotated[str | None, limits.IDENTITY_TYPE]]
    """Kind of identity that calls; instead of `identities`."""
    access_levels: NotRequired[Sequence[str]]
    """Keys of `access_levels`, or `*` for any place (ingress only)."""
    projects: NotRequired[Sequence[Annotated[str, limits.PROJECT_NUMBER]]]
    """Numbers of projects the call comes from."""


class IngressFrom(RuleFrom):
    """Who calls, and from where."""

    networks: NotRequired[Sequence[Annotated[str, limits.NETWORK]]]
    """VPC networks the call comes from."""


class RuleTo(TypedDict):
    """What is called."""

    services: Annotated[
        Mapping[Annotated[str, limits.API_OR_ALL], Sequence[Annotated[str, limits.METHOD]]],
        Entries("an API name, or '*'"),
    ]
    """API methods or permissions, or `*` for all, by API name; `*` as a name for all APIs."""
    projects: NotRequired[Sequence[Annotated[str, limits.PROJECT_NUMBER]]]
    """Numbers of projects called, or `*`; default for ingress: `*`, all of the perimeter."""


Rule = TypedDict("Rule", {"from": RuleFrom, "to": RuleTo})
"""A way through the perimeter: who calls and from where, and what is called."""

IngressRule = TypedDict("IngressRule", {"from": IngressFrom, "to": RuleTo})
"""A way into the perimeter."""


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
    """Calls let in, each from an access level or project at least."""
    egress: NotRequired[Sequence[Rule]]
    """Calls let out, each to projects that are given."""
    projects: NotRequired[Sequence[Annotated[str, limits.OTHER_PROJECT]]]
    """Numbers of other projects inside the perimeter."""
    bridges: NotRequired[
        Mapping[
            Annotated[str, limits.ACCESS_LEVEL],
            Annotated[Sequence[Annotated[str, limits.OTHER_PROJECT]], Entries("a project number")],
        ]
    ]
    """Numbers of the projects of other perimeters of the policy that this one's project and those
    may reach as if inside, by the bridge's name."""
    deletion_protection: NotRequired[bool]
    """Whether the perimeter and a policy made here are protected from deletion; default false."""


class PerimeterMembershipArgs(TypedDict):
    """Arguments of PerimeterMembership."""

    project_number: pulumi.Input[str]
    """Number of the project that joins."""
    perimeter: Annotated[str, limits.PERIMETER]
    """Full name of the perimeter: `accessPolicies/<policy>/servicePerimeters/<name>`."""
    title: Annotated[str, limits.TITLE]
    """Begins the names of access levels, which share those of the policy."""
    mode: Annotated[str, limits.MODE]
    """Whether it joins what is enforced, or what is only logged."""
    access_levels: NotRequired[Mapping[str, AccessLevel]]
    """Callers from outside, by name, each of which a rule names."""
    ingress: NotRequired[Sequence[IngressRule]]
    """Calls let in, each from an access level or project at least."""
    egress: NotRequired[Sequence[Rule]]
    """Calls let out, each to projects that are given."""


def validate_perimeter_membership(args: PerimeterMembershipArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(PerimeterMembershipArgs, args)
    problems.extend(perimeter({**args, "existing": args["perimeter"]}))
    return problems


def validate_vpc_perimeter(args: VpcPerimeterArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(VpcPerimeterArgs, args)
    if args.get("access_policy") is None and not args.get("organization"):
        problems.extend([_NO_POLICY])
    problems.extend(perimeter(args))
    return problems
