"""API management: who may call the gateway, and how often."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from config.callouts import Callout
from config.fields import PROJECT_ID, Matching, Settings, label

NEW: Final = "new"
"""Instead of an organization's name: make one in the platform's project."""

Organization = Annotated[
    str,
    Matching(
        f"{NEW}|{PROJECT_ID}",
        "the name of an Apigee organization (its project's id), or new",
        "`gcloud apigee organizations list` shows the names",
    ),
]
HttpsAddress = Annotated[
    str,
    Matching(
        r"https://[^\s/?#]+(?:/[^\s?#]*)?", "an https address", "write it like https://id.acme.com"
    ),
]


class Quota(Settings):
    """How many requests in which time."""

    requests: int = Field(ge=1, le=1_000_000_000, description="Requests of one period.")
    per: Literal["minute", "hour", "day", "month"] = Field(description="The period.")


class ApiConsumer(Settings):
    """The limits of one consumer. Without any it is identified and counted only."""

    requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="Rate, smoothed within the minute. Default: no limit.",
    )
    quota: Quota | None = Field(
        default=None,
        description="Most requests of a longer period, in each region. Default: no limit.",
    )
    client_id: str | None = Field(
        default=None,
        min_length=2,
        max_length=255,
        description="With authentication jwt: what tokens name the consumer's client.",
    )


class Jwt(Settings):
    """Whose tokens are taken, signed with RS256."""

    issuer: HttpsAddress = Field(description="The `iss` of tokens.")
    audience: str = Field(min_length=1, description="What the `aud` of tokens must have.")
    jwks_uri: HttpsAddress = Field(
        description="Where the issuer publishes its keys; Apigee must reach it."
    )
    client_claim: Annotated[
        str, Matching("[A-Za-z_][A-Za-z0-9_]{0,62}", "the name of a claim", "write it like azp")
    ] = Field(default="azp", description="Claim that names the consumer's client.")


class Apigee(Settings):
    """Apigee decides on every request: by whom it is, and whether that is within its limits."""

    organization: Organization = Field(
        description="Name of an existing Apigee organization, or new: then it is made in the"
        " platform's project, with the environment."
    )
    environment: Annotated[str, label(32, "Apigee allows no longer name")] = Field(
        default="inference",
        description="Environment of the organization, with an instance in every region and the"
        " property apigee-service-extension-enabled.",
    )
    analytics_region: (
        Annotated[
            str,
            Matching(
                "[a-z]+-[a-z]+[0-9]+",
                "a region of Google Cloud where Apigee keeps analytics",
                "see cloud.google.com/apigee/docs/locations",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Where a new organization keeps its analytics, for ever. Default: the first"
        " region.",
    )
    authentication: Literal["api-key", "jwt"] = Field(
        default="api-key",
        description="What clients send as bearer token: a key of Apigee, or a token of jwt's"
        " issuer.",
    )
    jwt: Jwt | None = Field(default=None, description="The issuer, for authentication jwt.")
    consumers: Mapping[str, ApiConsumer] = Field(
        min_length=1,
        description="Limits of each consumer (a key of consumers) that may call. Others may not.",
    )
    google_roles: bool = Field(
        default=False,
        description="Grant the Apigee operator the administrator roles Google asks for instead of"
        " narrow custom ones. The least-privilege policies forbid it.",
    )


class ApiManagement(Settings):
    """Apigee, or another service at the same place. Leave it out for none."""

    apigee: Apigee | None = Field(default=None, description="API management by Apigee.")
    extension: Callout | None = Field(
        default=None,
        description="API management by another server for Envoy's ext_proc protocol.",
    )
    fail_open: bool = Field(
        default=False,
        description="Whether requests pass unidentified and uncounted while it doesn't answer.",
    )
    timeout_seconds: int = Field(
        default=10, ge=1, le=10, description="Seconds to wait for its decision."
    )
