"""The VPC Service Controls perimeter: which APIs it closes, and who passes."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import network as limits
from catalog.services import RESTRICTED_SERVICES
from config.fields import Digits, Settings

ProjectNumber = Annotated[str, limits.PROJECT_NUMBER]
Api = Annotated[str, limits.API]
AccessLevelName = Annotated[str, limits.ACCESS_LEVEL]


class Condition(Settings):
    """What a request from outside must be, all of it."""

    ip_subnetworks: tuple[Annotated[str, limits.PUBLIC_RANGE], ...] = ()
    """Public ranges the request may come from, in CIDR notation."""
    members: tuple[Annotated[str, limits.MEMBER], ...] = ()
    """Users and service accounts it may come from."""
    regions: tuple[
        Annotated[str, limits.COUNTRY],
        ...,
    ] = ()
    """Countries it may come from (ISO 3166-1 alpha-2)."""
    networks: Mapping[
        Annotated[str, limits.NETWORK], tuple[Annotated[str, limits.PRIVATE_RANGE], ...]
    ] = Field(default_factory=dict)
    """VPC networks it may come from, each with the ranges in it; [] for all of the network. Not
    beside ip_subnetworks."""


class AccessLevel(Condition):
    """What a request from outside must be: all of it, or any of several conditions."""

    any_of: tuple[Condition, ...] = ()
    """Conditions, one of which is enough; nothing else then."""


class RuleFrom(Settings):
    """Who a rule lets pass, and from where."""

    identities: tuple[Annotated[str, limits.IDENTITY], ...] = ()
    """Who may pass; instead of identity_type."""
    identity_type: limits.IdentityType | None = None
    """Kind of identity that may pass; instead of identities."""
    access_levels: tuple[str, ...] = ()
    """Names of access levels the request must meet one of; '*' for any."""
    projects: tuple[ProjectNumber, ...] = ()
    """Numbers of the projects the request may come from."""


class IngressFrom(RuleFrom):
    """Who a rule lets in, and from where."""

    networks: tuple[Annotated[str, limits.NETWORK], ...] = ()
    """VPC networks the request may come from."""


class RuleTo(Settings):
    """What a rule lets call, and where."""

    services: Mapping[
        Annotated[str, limits.API_OR_ALL], tuple[Annotated[str, limits.METHOD], ...]
    ] = Field(min_length=1)
    """Methods, or permissions such as bigquery.tables.getData, by API; ['*'] for all of them, the
    API '*' for all APIs."""
    projects: tuple[ProjectNumber, ...] = Field(default=("*",), min_length=1)
    """Numbers of the projects called; '*' for any."""


class Rule(Settings):
    """A way through the perimeter."""

    from_: RuleFrom = Field(alias="from")
    """Who may pass, and from where."""
    to: RuleTo
    """What they may call, and where."""


class IngressRule(Rule):
    """A way into the perimeter."""

    from_: IngressFrom = Field(alias="from")
    """Who may pass, and from where."""


class Perimeter(Settings):
    """The perimeter around the project: one that is made, or one that is there."""

    mode: limits.Mode
    """dry-run logs what would be refused; enforced refuses it."""
    existing: Annotated[str, limits.PERIMETER] | None = None
    """Full name of a perimeter that the project joins, with rules of its own. Default: one is
    made."""
    access_policy: Digits | None = None
    """Number of an existing access policy, in quotes. Default: one is made for the project."""
    restricted_services: tuple[Api, ...] = Field(default=RESTRICTED_SERVICES, min_length=1)
    """APIs the perimeter closes. Default: every API of the platform that can be."""
    vpc_accessible_services: tuple[Api, ...] = Field(
        default_factory=lambda data: tuple(data["restricted_services"])
    )
    """APIs the platform's own network may call. Default: the restricted ones."""
    access_levels: Mapping[AccessLevelName, AccessLevel] = Field(default_factory=dict)
    """Access levels by name."""
    projects: tuple[Annotated[str, limits.OTHER_PROJECT], ...] = ()
    """Numbers of other projects inside the perimeter, such as the host of a Shared VPC."""
    bridges: Mapping[
        AccessLevelName,
        Annotated[tuple[Annotated[str, limits.OTHER_PROJECT], ...], Field(min_length=1)],
    ] = Field(default_factory=dict)
    """Bridges by name: numbers of projects in other perimeters of the policy, which this project
    reaches as if inside, and they it."""
    ingress: tuple[IngressRule, ...] = ()
    """Rules for calls into the perimeter."""
    egress: tuple[Rule, ...] = ()
    """Rules for calls from the perimeter to other projects."""
