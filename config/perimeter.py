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


class AccessLevel(Settings):
    """Conditions a request from outside must meet, all of them."""

    ip_subnetworks: tuple[Annotated[str, limits.PUBLIC_RANGE], ...] = ()
    """Public ranges the request may come from, in CIDR notation."""
    members: tuple[Annotated[str, limits.MEMBER], ...] = ()
    """Users and service accounts it may come from."""
    regions: tuple[
        Annotated[str, limits.COUNTRY],
        ...,
    ] = ()
    """Countries it may come from (ISO 3166-1 alpha-2)."""


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


class Perimeter(Settings):
    """The perimeter around the project."""

    mode: limits.Mode
    """dry-run logs what would be refused; enforced refuses it."""
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
    ingress: tuple[Rule, ...] = ()
    """Rules for calls into the perimeter."""
    egress: tuple[Rule, ...] = ()
    """Rules for calls from the perimeter to other projects."""
