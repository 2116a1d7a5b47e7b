"""The VPC Service Controls perimeter: which APIs it closes, and who passes."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.services import RESTRICTED_SERVICES
from config.fields import Digits, Matching, Range, ServiceHost, Settings

AccessLevelName = Annotated[
    str,
    Matching(
        "[A-Za-z][A-Za-z0-9_]{0,49}", "1 to 50 letters, digits or underscores, a letter first"
    ),
]
_EMAIL = r"[^\s:@]+@[^\s:@]+\.[^\s:@]+"
Member = Annotated[
    str,
    Matching(
        f"(?:user|serviceAccount):{_EMAIL}",
        "user: or serviceAccount: and an e-mail address (access levels take no groups)",
        "write it like user:ada@acme.com",
    ),
]
Identity = Annotated[
    str,
    Matching(
        rf"(?:user|serviceAccount|group):{_EMAIL}|principal(?:Set)?://\S+",
        "user:, serviceAccount: or group: and an e-mail address, principal:// or principalSet://",
        "write it like serviceAccount:deploy@acme-ci.iam.gserviceaccount.com",
    ),
]
ProjectNumber = Annotated[
    str,
    Matching(
        r"[0-9]{1,20}|\*",
        "a project number in quotes, or '*'",
        "`gcloud projects describe PROJECT --format='value(projectNumber)'` shows it",
    ),
]
ServiceOrAll = Annotated[
    str,
    Matching(
        r"\*|[a-z][a-z0-9-]*\.googleapis\.com",
        "the host name of a Google API, or '*'",
        "write it like storage.googleapis.com",
    ),
]
Method = Annotated[
    str,
    Matching(
        r"\*|[A-Za-z][A-Za-z0-9_./]*",
        "a method of the service, or '*'",
        "write it like google.storage.objects.get",
    ),
]


class AccessLevel(Settings):
    """Conditions a request from outside must meet, all of them."""

    ip_subnetworks: tuple[Annotated[str, Range(None, private=False)], ...] = Field(
        default=(), description="Public ranges the request may come from, in CIDR notation."
    )
    members: tuple[Member, ...] = Field(
        default=(), description="Users and service accounts it may come from."
    )
    regions: tuple[
        Annotated[
            str, Matching("[A-Z]{2}", "a country code of two capital letters", "write it like US")
        ],
        ...,
    ] = Field(default=(), description="Countries it may come from (ISO 3166-1 alpha-2).")


class RuleFrom(Settings):
    """Who a rule lets pass, and from where."""

    identities: tuple[Identity, ...] = Field(
        default=(), description="Who may pass; instead of identity_type."
    )
    identity_type: Literal["ANY_IDENTITY", "ANY_USER_ACCOUNT", "ANY_SERVICE_ACCOUNT"] | None = (
        Field(default=None, description="Kind of identity that may pass; instead of identities.")
    )
    access_levels: tuple[str, ...] = Field(
        default=(), description="Names of access levels the request must meet one of; '*' for any."
    )
    projects: tuple[ProjectNumber, ...] = Field(
        default=(), description="Numbers of the projects the request may come from."
    )


class RuleTo(Settings):
    """What a rule lets call, and where."""

    services: Mapping[ServiceOrAll, tuple[Method, ...]] = Field(
        min_length=1,
        description="Methods, or permissions such as bigquery.tables.getData, by API; ['*'] for all"
        " of them, the API '*' for all APIs.",
    )
    projects: tuple[ProjectNumber, ...] = Field(
        default=("*",), min_length=1, description="Numbers of the projects called; '*' for any."
    )


class Rule(Settings):
    """A way through the perimeter."""

    from_: RuleFrom = Field(alias="from", description="Who may pass, and from where.")
    to: RuleTo = Field(description="What they may call, and where.")


class Perimeter(Settings):
    """The perimeter around the project."""

    mode: Literal["dry-run", "enforced"] = Field(
        description="dry-run logs what would be refused; enforced refuses it."
    )
    access_policy: Digits | None = Field(
        default=None,
        description="Number of an existing access policy, in quotes. Default: one is made for the"
        " project.",
    )
    restricted_services: tuple[ServiceHost, ...] = Field(
        default=RESTRICTED_SERVICES,
        min_length=1,
        description="APIs the perimeter closes. Default: every API of the platform that can be.",
    )
    vpc_accessible_services: tuple[ServiceHost, ...] = Field(
        default_factory=lambda data: tuple(data["restricted_services"]),
        description="APIs the platform's own network may call. Default: the restricted ones.",
    )
    access_levels: Mapping[AccessLevelName, AccessLevel] = Field(
        default_factory=dict, description="Access levels by name."
    )
    ingress: tuple[Rule, ...] = Field(default=(), description="Rules for calls into the perimeter.")
    egress: tuple[Rule, ...] = Field(
        default=(), description="Rules for calls from the perimeter to other projects."
    )
