"""Services: containers on Cloud Run that answer requests, such as a backend for chats."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.armor import MOST_REQUESTS, RuleSet
from catalog.limits.names import ANYONE
from config.containers import Container, Variable
from config.fields import Matching, Settings, label
from config.gateway import Hostname

ServiceName = Annotated[str, label(30, "it becomes part of resource names and account ids")]
SecretName = Annotated[
    str,
    Matching("[A-Za-z][A-Za-z0-9_-]{0,99}", "1 to 100 letters, digits, hyphens or underscores"),
]
SecretUse = Annotated[
    str,
    Matching(
        "[A-Za-z][A-Za-z0-9_-]{0,99}(?::[1-9][0-9]{0,9})?",
        "the name of a secret (a key of secrets), with a colon and a number for a version other"
        " than the latest",
        "write it like llm-api-key or llm-api-key:3",
    ),
]
SecretFile = Annotated[
    str,
    Matching(
        "(?:/[A-Za-z0-9._-]+){2,}",
        "an absolute path in a folder of its own",
        "write it like /secrets/api/llm_api_key",
    ),
]
Member = Annotated[
    str,
    Matching(
        r"(?:user|group|serviceAccount):[^\s@]+@[^\s@]+|" + ANYONE,
        "a member: user:, group: or serviceAccount: and an address, or principal://...",
        "write it like group:support@acme.com (the public cannot be let in)",
    ),
]
Suffix = Annotated[str, label(20, "it becomes part of revision names")]


def name_of(use: str) -> str:
    """Return the secret's name in `name` or `name:version`."""
    return use.partition(":")[0]


def version_of(use: str) -> str:
    """Return the version in `name:version`; latest where there is none."""
    return use.partition(":")[2] or "latest"


class Secret(Settings):
    """A secret of the project in Secret Manager. Its value is added by hand, never seen here."""

    existing: bool = Field(
        default=False,
        description="Whether it is there already; else the stack makes it, and a service that uses"
        " it starts once it has a value.",
    )


class Traffic(Settings):
    """A share of the requests, or an address of its own, for one revision."""

    revision: Suffix = Field(description="Name a revision had as `revision`.")
    percent: int = Field(ge=0, le=100, description="Percent of the requests; 100 in all.")
    tag: Annotated[str, label(40, "it becomes part of an address")] | None = Field(
        default=None, description="Begins an address that leads to this revision alone."
    )


class LoadBalancer(Settings):
    """An HTTPS load balancer before the service."""

    kind: Literal["internal", "regional-external", "global-external"] = Field(
        default="internal", description="Where its address is reached from, and where it stands."
    )
    hostname: Hostname = Field(description="DNS name clients use.")
    certificate: (
        Annotated[
            str,
            Matching(
                "projects/[^/]+/locations/[^/]+/certificates/[^/]+",
                "the full name of a certificate in Certificate Manager",
                "write it like projects/acme/locations/us-central1/certificates/chat",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Certificate of a regional-external one. The others get their own.",
    )
    requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        le=MOST_REQUESTS,
        description="Requests of an address at most: Cloud Armor.",
    )
    allowed_ranges: tuple[str, ...] = Field(
        default=(),
        max_length=10,
        description="IP ranges that may come: Cloud Armor. Default: all.",
    )
    waf_rules: tuple[RuleSet, ...] = Field(
        default=(), description="Cloud Armor's signatures of attacks to refuse: sqli..."
    )


class Jwt(Settings):
    """Whose tokens callers show."""

    issuer: Annotated[
        str,
        Matching(
            r"https://[^\s/]+(?:/\S*)?|[^\s@/]+@[^\s@/]+\.[^\s@/]+",
            "an address that begins https://, or the email of a service account",
            "write it as the tokens' iss has it",
        ),
    ] = Field(description="Value of the tokens' iss.")
    jwks_uri: Annotated[str, Matching(r"https://\S+", "an address that begins https://")] = Field(
        description="Address of the issuer's public keys."
    )
    audiences: tuple[str, ...] = Field(
        min_length=1, description="Values allowed for the tokens' aud."
    )


class ApiGateway(Settings):
    """An API Gateway before the service."""

    document: str | None = Field(
        default=None,
        description="OpenAPI 2.0 file, from the project's folder: info and paths. Needed.",
    )
    region: str | None = Field(
        default=None, description="Region of the gateway. Default: the service's."
    )
    jwt: Jwt | None = Field(default=None, description="Callers show tokens.")
    api_key: bool = Field(default=False, description="Whether callers show an API key.")
    requests_per_minute: int | None = Field(
        default=None, ge=1, le=1_000_000, description="Requests of a key's project at most."
    )


class Service(Container):
    """A Cloud Run service that answers requests."""

    timeout_seconds: int = Field(
        default=60, ge=1, le=3600, description="Seconds a request may take."
    )
    models: tuple[str, ...] = Field(
        default=(),
        description="Models (keys of models, or adapters) it asks at the gateway, the first one"
        " unless a request names another. Sets LLM_BASE_URL, LLM_MODEL, LLM_MODELS, LLM_CA_FILE.",
    )
    cache: bool = Field(
        default=False,
        description="Whether it uses the cache of data. Sets REDIS_URL, REDIS_PASSWORD,"
        " REDIS_CA_FILE.",
    )
    invokers: tuple[Member, ...] = Field(
        default=(), description="Who may call it. IAM checks each caller."
    )
    iap: tuple[Member, ...] = Field(
        default=(), description="Who may pass Identity-Aware Proxy. Default: it isn't there."
    )
    secrets: Mapping[Variable, SecretUse] = Field(
        default_factory=dict, description="Environment variables whose values are secrets."
    )
    secret_files: Mapping[SecretFile, SecretUse] = Field(
        default_factory=dict, description="Files whose contents are secrets, by path."
    )
    egress: Literal["none", "private-ranges", "all"] | None = Field(
        default=None,
        description="What it sends into the platform's network. Default: all with models, cache"
        " or secrets, which then leave by the network's rules alone; else none.",
    )
    ingress: Literal["internal", "load-balancer", "all"] | None = Field(
        default=None, description="Where requests come from. Default: what the front needs."
    )
    default_url: bool = Field(
        default=True,
        description="Whether its run.app address answers; without, only the load balancer before it"
        " is a way in.",
    )
    front: Literal["none", "load_balancer", "api_gateway"] = Field(
        default="none", description="What stands before it."
    )
    load_balancer: LoadBalancer | None = Field(default=None, description="Of front load_balancer.")
    api_gateway: ApiGateway | None = Field(default=None, description="Of front api_gateway.")
    custom_audiences: tuple[str, ...] = Field(
        default=(), description="Audiences of callers' tokens besides the service's URL."
    )
    binary_authorization: bool = Field(
        default=False, description="Whether the project's Binary Authorization policy holds."
    )
    revision: Suffix | None = Field(
        default=None,
        description="Name of the revision this config describes; a new one with every change."
        " Default: Cloud Run makes one up.",
    )
    traffic: tuple[Traffic, ...] = Field(
        default=(), description="Shares of revisions. Default: all to the latest one."
    )

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of the secrets it reads, each once."""
        uses = (*self.secrets.values(), *self.secret_files.values())
        return tuple(dict.fromkeys(name_of(use) for use in uses))

    @property
    def effective_ingress(self) -> str:
        """Where requests come from: as given, or as the front needs."""
        return self.ingress or FRONT_INGRESS[self.front]

    @property
    def effective_egress(self) -> str:
        """What it sends into the network: as given, or what it uses needs."""
        return self.egress or ("all" if self.models or self.cache or self.secret_names else "none")


FRONT_INGRESS: Mapping[str, str] = {
    "none": "internal",
    "load_balancer": "load-balancer",
    # API Gateway calls from outside the VPC.
    "api_gateway": "all",
}
