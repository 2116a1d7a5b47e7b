"""Services: containers on Cloud Run that answer requests, such as a backend for chats."""

from collections.abc import Mapping
from typing import Annotated, Literal

from catalog.armor import RuleSet
from catalog.limits import Entries, bigquery, label
from catalog.limits import cloud_run as limits
from catalog.limits.network import IP_RANGE
from config.containers import Container
from config.fields import Settings
from config.gateway import Hostname

ServiceName = Annotated[str, label(30, "it becomes part of resource names and account ids")]
Member = Annotated[str, limits.MEMBER]
Suffix = Annotated[str, limits.REVISION]


class Traffic(Settings):
    """A share of the requests, or an address of its own, for one revision."""

    revision: Suffix
    """Name a revision had as `revision`."""
    percent: Annotated[int, limits.PERCENT]
    """Percent of the requests; 100 in all."""
    tag: Annotated[str, limits.REVISION_TAG] | None = None
    """Begins an address that leads to this revision alone."""


class LoadBalancer(Settings):
    """An HTTPS load balancer before the service."""

    kind: Annotated[str, limits.LOAD_BALANCER] = limits.LOAD_BALANCER.default
    """Where its address is reached from, and where it stands."""
    hostname: Hostname
    """DNS name clients use."""
    certificate: Annotated[str, limits.CERTIFICATE] | None = None
    """Certificate of a regional-external one. The others get their own."""
    requests_per_minute: Annotated[int, limits.RATE] | None = None
    """Requests of an address at most: Cloud Armor. Default: 600 of an external one for which
    neither ranges nor rules are given, else any number."""
    allowed_ranges: Annotated[tuple[Annotated[str, IP_RANGE], ...], Entries(low=0, high=10)] = ()
    """IP ranges that may come: Cloud Armor. Default: all."""
    waf_rules: tuple[RuleSet, ...] = ()
    """Cloud Armor's signatures of attacks to refuse: sqli..."""

    @property
    def rate(self) -> int | None:
        """Requests of an address in a minute; None for any number."""
        open_ = self.kind != "internal" and not (self.allowed_ranges or self.waf_rules)
        return self.requests_per_minute or (limits.EXTERNAL_RATE if open_ else None)


class Jwt(Settings):
    """Whose tokens callers show."""

    issuer: Annotated[str, limits.ISSUER]
    """Value of the tokens' iss."""
    jwks_uri: Annotated[str, limits.JWKS_URI]
    """Address of the issuer's public keys."""
    audiences: Annotated[tuple[str, ...], limits.AUDIENCES]
    """Values allowed for the tokens' aud."""


class ApiGateway(Settings):
    """An API Gateway before the service."""

    document: str | None = None
    """OpenAPI 2.0 file, from the stack file's folder: info and paths. Needed."""
    region: str | None = None
    """Region of the gateway, one that has API Gateway. Default: the service's."""
    jwt: Jwt | None = None
    """Callers show tokens."""
    api_key: bool = False
    """Whether callers show an API key."""
    requests_per_minute: Annotated[int, limits.API_RATE] | None = None
    """Requests of a key's project at most."""


class RequestLog(Settings):
    """Where every request of a service to a model becomes a row, with its tokens."""

    table: Annotated[str, bigquery.TABLE_PATH]
    """Table of the warehouse, as <dataset>.<table>. Sets PREDICTIONS_TABLE; the service may write
    there."""
    content: Literal["none", "hashes", "texts"] = "hashes"
    """What a row has of prompt and reply: texts without what is redacted, or less."""
    content_percent: Annotated[int, limits.PERCENT] = 100
    """Percent of the rows that have it. Tokens and times stand in every row."""


class Service(Container):
    """A Cloud Run service that answers requests."""

    timeout_seconds: Annotated[int, limits.TIMEOUT_SECONDS] = limits.TIMEOUT_SECONDS.default
    """Seconds a request may take."""
    models: tuple[str, ...] = ()
    """Models (keys of models, or adapters) it asks at the gateway, the first one unless a
    request names another. Sets LLM_BASE_URL, LLM_MODEL, LLM_MODELS, LLM_CA_FILE."""
    cache: bool = False
    """Whether it uses the cache of data. Sets REDIS_URL, REDIS_PASSWORD, REDIS_CA_FILE."""
    request_log: RequestLog | None = None
    """Log of its requests to models. Default: none. Sets PREDICTIONS_TABLE, PREDICTIONS_CONTENT,
    PREDICTIONS_CONTENT_PERCENT."""
    invokers: tuple[Member, ...] = ()
    """Who may call it. IAM checks each caller."""
    iap: tuple[Member, ...] = ()
    """Who may pass Identity-Aware Proxy. Default: it isn't there."""
    egress: Literal["none", "private-ranges", "all"] | None = None
    """What it sends into the platform's network. Default: all with models, cache or secrets,
    which then leave by the network's rules alone; else none."""
    ingress: Annotated[str, limits.INGRESS] | None = None
    """Where requests come from. Default: what the front needs."""
    default_url: bool = True
    """Whether its run.app address answers; without, only the load balancer before it is a way
    in."""
    front: Literal["none", "load_balancer", "api_gateway"] = "none"
    """What stands before it."""
    load_balancer: LoadBalancer | None = None
    """Of front load_balancer."""
    api_gateway: ApiGateway | None = None
    """Of front api_gateway."""
    custom_audiences: tuple[str, ...] = ()
    """Audiences of callers' tokens besides the service's URL."""
    binary_authorization: bool = False
    """Whether the project's Binary Authorization policy holds."""
    revision: Suffix | None = None
    """Name of the revision this config describes; a new one with every change. Default: Cloud
    Run makes one up."""
    traffic: tuple[Traffic, ...] = ()
    """Shares of revisions. Default: all to the latest one."""

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
