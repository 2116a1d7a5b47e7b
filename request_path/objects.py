"""The objects a request meets, freed of how Kubernetes and Google Cloud write them down."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from request_path.values import UNKNOWN, Labels, Text, Unknown, may_equal


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What every object has."""

    label: str
    """Its name in the program, which no other object of its type has."""
    urn: str
    name: Text
    wired: frozenset[str] = frozenset()
    """URNs of the resources its properties come from."""


@dataclass(frozen=True, kw_only=True)
class InCluster(Thing):
    """An object of a Kubernetes cluster."""

    cluster: str
    """What tells clusters apart: the URN of their provider."""
    namespace: Text

    def beside(self, other: "InCluster") -> bool:
        """Whether both are, or may be, in one namespace."""
        return self.cluster == other.cluster and may_equal(self.namespace, other.namespace)


@dataclass(frozen=True)
class Reference:
    """A name one object calls another by."""

    kind: Text
    name: Text
    namespace: Text
    section: Text = None

    def means(self, source: Thing, thing: InCluster, kind: str, others: Iterable[Thing]) -> bool:
        """Whether the `source`'s reference is to `thing`; `others` are all things of its kind.

        A name that isn't known yet is told from the resources the source is wired from.
        """
        if not may_equal(self.kind, kind) or not may_equal(self.namespace, thing.namespace):
            return False
        if self.name is UNKNOWN:
            wired = {other.urn for other in others} & source.wired
            return not wired or thing.urn in wired
        return may_equal(self.name, thing.name)


@dataclass(frozen=True)
class Listener:
    """Where a Gateway listens."""

    name: Text
    protocol: Text
    port: int | Unknown | None
    hostname: Text
    routes_from: Text


@dataclass(frozen=True, kw_only=True)
class Gateway(InCluster):
    """A Gateway."""

    listeners: tuple[Listener, ...]
    address_names: tuple[Text, ...]
    gateway_class: Text


@dataclass(frozen=True)
class HeaderMatch:
    """A header that a request must have. `name` is in lower case."""

    name: str | Unknown
    value: str | Unknown
    regular: bool = False


@dataclass(frozen=True)
class Match:
    """What a rule of an HTTPRoute asks of a request."""

    path: str | Unknown = "/"
    path_type: str | Unknown = "PathPrefix"
    headers: tuple[HeaderMatch, ...] = ()
    method: str | Unknown | None = None
    queries: int = 0
    """How many query parameters must be there."""


@dataclass(frozen=True)
class Backend:
    """Where a rule sends a share of its requests."""

    reference: Reference
    weight: int | Unknown


@dataclass(frozen=True)
class RouteRule:
    """A rule of an HTTPRoute."""

    matches: tuple[Match, ...]
    backends: tuple[Backend, ...]
    timeout: Text


@dataclass(frozen=True, kw_only=True)
class Route(InCluster):
    """An HTTPRoute."""

    parents: tuple[Reference, ...]
    hostnames: tuple[str | Unknown, ...]
    rules: tuple[RouteRule, ...]


@dataclass(frozen=True, kw_only=True)
class Pool(InCluster):
    """An InferencePool."""

    selector: Labels
    ports: tuple[int | Unknown, ...]
    picker: Text
    picker_port: int | Unknown | None
    failure_mode: Text


@dataclass(frozen=True)
class Container:
    """A container of a pod."""

    name: Text
    arguments: tuple[str | Unknown, ...]
    ports: frozenset[int | Unknown]


@dataclass(frozen=True)
class Pods:
    """Pods of one template: those of a Deployment, or the leaders or workers of a group."""

    role: str
    labels: Labels
    containers: tuple[Container, ...]
    node_selector: Labels


@dataclass(frozen=True, kw_only=True)
class Workload(InCluster):
    """What keeps pods running."""

    kind: str
    replicas: int | Unknown | None
    pods: tuple[Pods, ...]


@dataclass(frozen=True, kw_only=True)
class Service(InCluster):
    """A Service."""

    selector: Labels
    ports: tuple[int | Unknown, ...]


@dataclass(frozen=True, kw_only=True)
class Policy(InCluster):
    """A policy of Google's on a Gateway, a pool or a Service; `settings` as they stand."""

    kind: str
    target: Reference
    settings: object = field(compare=False)


@dataclass(frozen=True)
class Extension:
    """A program a load balancer calls."""

    name: Text
    google_service: Text
    backend: Reference
    events: tuple[str | Unknown, ...]
    fail_open: bool
    observes: bool
    """Whether it only watches."""
    timeout: Text
    request_mode: Text
    response_mode: Text
    settings: Text
    """Model Armor's settings, a list in JSON."""


@dataclass(frozen=True)
class Chain:
    """Extensions that run one after the other, for requests that meet the conditions."""

    name: Text
    conditions: tuple[str | Unknown, ...]
    extensions: tuple[Extension, ...]


@dataclass(frozen=True, kw_only=True)
class Extensions(InCluster):
    """A GCPTrafficExtension or GCPRoutingExtension."""

    kind: str
    targets: tuple[Reference, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True, kw_only=True)
class Template(Thing):
    """A Model Armor template."""

    project: Text
    location: Text
    screens: bool
    """Whether any of its filters is on."""


@dataclass(frozen=True, kw_only=True)
class Regional(Thing):
    """An object of a region on Google Cloud: an address, an attachment, an endpoint."""

    region: Text
    target: Text = None
    address: Text = None
    network: Text = None
    accepts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Record(Thing):
    """A DNS record set, for its addresses."""

    addresses: tuple[str | Unknown, ...]
    zone: Text


@dataclass(frozen=True, kw_only=True)
class Other(InCluster):
    """An object of which only the name matters."""

    kind: str


@dataclass(frozen=True, kw_only=True)
class Objects:
    """All objects of a stack that a request may meet."""

    gateways: tuple[Gateway, ...] = ()
    routes: tuple[Route, ...] = ()
    pools: tuple[Pool, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    policies: tuple[Policy, ...] = ()
    extensions: tuple[Extensions, ...] = ()
    templates: tuple[Template, ...] = ()
    addresses: tuple[Regional, ...] = ()
    attachments: tuple[Regional, ...] = ()
    endpoints: tuple[Regional, ...] = ()
    records: tuple[Record, ...] = ()
    node_pools: tuple[Thing, ...] = ()
    others: tuple[Other, ...] = ()
