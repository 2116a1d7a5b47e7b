"""API management: who may call the gateway, and how often."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.limits import api_management as limits
from config.callouts import Callout
from config.fields import Settings

HttpsAddress = Annotated[str, limits.HTTPS_ADDRESS]


class Quota(Settings):
    """How many requests in which time."""

    requests: Annotated[int, limits.REQUESTS]
    """Requests of one period."""
    per: Annotated[str, limits.PERIOD]
    """The period."""


class ApiConsumer(Settings):
    """The limits of one consumer. Without any it is identified and counted only."""

    requests_per_minute: Annotated[int, limits.REQUESTS] | None = None
    """Rate, smoothed within the minute. Default: no limit."""
    quota: Quota | None = None
    """Most requests of a longer period, in each region. Default: no limit."""
    client_id: Annotated[str, limits.CLIENT_ID] | None = None
    """With authentication jwt: what tokens name the consumer's client."""


class Jwt(Settings):
    """Whose tokens are taken, signed with RS256."""

    issuer: HttpsAddress
    """The `iss` of tokens."""
    audience: str = Field(min_length=1)
    """What the `aud` of tokens must have."""
    jwks_uri: HttpsAddress
    """Where the issuer publishes its keys; Apigee must reach it."""
    client_claim: Annotated[str, limits.CLIENT_CLAIM] = limits.CLIENT_CLAIM.default
    """Claim that names the consumer's client."""


class Apigee(Settings):
    """Apigee decides on every request: by whom it is, and whether that is within its limits."""

    organization: Annotated[str, limits.ORGANIZATION]
    """Name of an existing Apigee organization, or new: then it is made in the platform's
    project, with the environment."""
    environment: Annotated[str, limits.ENVIRONMENT] = "inference"
    """Environment of the organization, with an instance in every region and the property
    apigee-service-extension-enabled."""
    analytics_region: Annotated[str, limits.ANALYTICS_REGION] | None = None
    """Where a new organization keeps its analytics, for ever. Default: the first region."""
    authentication: Literal["api-key", "jwt"] = "api-key"
    """What clients send as bearer token: a key of Apigee, or a token of jwt's issuer."""
    jwt: Jwt | None = None
    """The issuer, for authentication jwt."""
    consumers: Annotated[Mapping[str, ApiConsumer], limits.CONSUMERS]
    """Limits of each consumer (a key of consumers, of services or pipelines with models, or of
    batch_inference) that may call. Others may not. All but consumers get their key as a secret: it
    sets LLM_AUTH, LLM_API_KEY_FILE."""
    google_roles: bool = False
    """Grant the Apigee operator the administrator roles Google asks for instead of narrow
    custom ones. The least-privilege policies forbid it."""

    def knows_by_key(self, name: str) -> bool:
        """Return whether it has a key for a service or batch."""
        return self.authentication == "api-key" and name in self.consumers


class ApiManagement(Settings):
    """Apigee, or another service at the same place. Leave it out for none."""

    apigee: Apigee | None = None
    """API management by Apigee."""
    extension: Callout | None = None
    """API management by another server for Envoy's ext_proc protocol."""
    fail_open: bool = False
    """Whether requests pass unidentified and uncounted while it doesn't answer."""
    timeout_seconds: Annotated[int, limits.DECISION_SECONDS] = limits.DECISION_SECONDS.default
    """Seconds to wait for its decision."""
