"""The objects a request meets, freed of how Kubernetes and Google Cloud write them down."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from request_path.fields import Text
from resources.properties import UNKNOWN, Unknown
from resources.selectors import Labels, may_equal

# The cluster of a default provider is the one that the machine's kubeconfig names.
_ANY_CLUSTER: Final = re.compile(r"^$|::default(_[0-9_]+)?$")


@cache
def _may_be_any(cluster: str) -> bool:
    return _ANY_CLUSTER.search(cluster) is not None


@dataclass(frozen=True, kw_only=True)
class NamedObject:
    """What every object has."""

    label: str
    """Its name in the program, which no other object of its type has."""
    urn: str
    name: Text
    wired: frozenset[str] = frozenset()
    """URNs of the resources its properties come from."""


@dataclass(frozen=True, kw_only=True)
class InCluster(NamedObject):
    """An object of a Kubernetes cluster."""

    cluster: str
    """What tells clusters apart: the URN of their provider."""
    namespace: Text

    kind: str
    """As Kubernetes calls it."""

    def beside(self, other: "InCluster") -> bool:
        """Return whether both are, or may be, in one namespace."""
        return self.shares_cluster(other) and may_equal(self.namespace, other.namespace)

    def shares_cluster(self, other: "InCluster") -> bool:
        """Return whether both are, or may be, in one cluster: a default provider's is any."""
        same = self.cluster == other.cluster
        return same or _may_be_any(self.cluster) or _may_be_any(other.cluster)


@dataclass(frozen=True)
class Reference:
    """A name one object calls another by."""

    kind: Text
    name: Text
    namespace: Text
    section: Text = None


@dataclass(frozen=True)
class Listener:
    """Where a Gateway listens."""

    name: Text
    protocol: Text
    port: int | Unknown | None
    hostname: Text
    routes_from: Text
    names: tuple[Text, ...] | None = None
    """Of the namespaces whose routes it takes, where a selector names them."""

    def takes_from(self, namespace: Text, *, own: bool) -> bool:
        """Return whether routes of a namespace attach, or may; `own` is the Gateway's."""
        if self.routes_from == "Same":
            return own
        named = self.names is None or any(may_equal(namespace, each) for each in self.names)
        return self.routes_from != "None" and named


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
    port: int | Unknown | None = None
    """Of a Service; a pool has its own."""


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
    config_maps: tuple[str | Unknown, ...] = ()
    """Names of the ConfigMaps they mount."""


@dataclass(frozen=True, kw_only=True)
class Workload(InCluster):
    """What keeps pods running."""

    replicas: int | Unknown | None
    nodes: int | Unknown | None = None
    """Pods of a replica that spans nodes."""
    pods: tuple[Pods, ...]


@dataclass(frozen=True, kw_only=True)
class Autoscaler(InCluster):
    """A HorizontalPodAutoscaler."""

    target: Reference
    least: int | Unknown | None
    most: int | Unknown | None


@dataclass(frozen=True, kw_only=True)
class Service(InCluster):
    """A Service."""

    selector: Labels
    ports: tuple[int | Unknown, ...]
    targets: Mapping[int | Unknown, int | Unknown | None] = field(compare=False)
    """Port of the pods by its own; None for one that is named."""
    opened: Text = None
    """What else than the cluster's own network reaches it by, such as a LoadBalancer."""


@dataclass(frozen=True, kw_only=True)
class Ingress(InCluster):
    """An Ingress, an export to the clusters of a fleet, or a route that no extension reads."""

    targets: tuple[Reference, ...]
    """The Services and pools that it leads to."""


@dataclass(frozen=True, kw_only=True)
class ProxyConfig(InCluster):
    """A ConfigMap with the configuration of an Envoy."""

    servers: tuple[str, ...]
    """`host:port` of the servers it forwards to by TLS, with the path that stands there for /v1."""


@dataclass(frozen=True, kw_only=True)
class Objective(InCluster):
    """An InferenceObjective: a priority that clients choose by its name."""

    pool: Reference
    priority: int | Unknown | None


@dataclass(frozen=True, kw_only=True)
class Policy(InCluster):
    """A policy of Google's on a Gateway, a pool or a Service; `settings` as they stand."""

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

    targets: tuple[Reference, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True, kw_only=True)
class Template(NamedObject):
    """A Model Armor template."""

    project: Text
    location: Text
    screens: bool
    """Whether any of its filters is on."""


@dataclass(frozen=True, kw_only=True)
class Regional(NamedObject):
    """An object of a region on Google Cloud: an address, an attachment, an endpoint."""

    region: Text
    target: Text = None
    address: Text = None
    network: Text = None
    accepts: tuple[str, ...] = ()
    rules: int = 0
    """How many a Cloud Armor policy has."""


@dataclass(frozen=True, kw_only=True)
class Part(NamedObject):
    """A part of a cross-region load balancer; each names the next by its link."""

    link: Text
    leads_to: tuple[str | Unknown, ...]
    address: Text = None
    network: Text = None
    timeout: Text = None
    """Longest answer in seconds, of a backend service."""
    outliers: object = field(default=None, compare=False)
    """When a backend service leaves out a region whose answers fail."""


@dataclass(frozen=True, kw_only=True)
class Record(NamedObject):
    """A DNS record set, for its addresses."""

    addresses: tuple[str | Unknown, ...]
    zone: Text
    places: tuple[str | Unknown, ...] = ()
    """Regions that have an answer of their own; the nearest is given."""
    checked: bool = False
    """Whether an answer is given only while its load balancer is healthy."""


@dataclass(frozen=True, kw_only=True)
class Other(InCluster):
    """An object of which only the name matters."""


@dataclass(frozen=True, kw_only=True)
class Objects:
    """All objects of a stack that a request may meet."""

    gateways: tuple[Gateway, ...] = ()
    routes: tuple[Route, ...] = ()
    pools: tuple[Pool, ...] = ()
    workloads: tuple[Workload, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    services: tuple[Service, ...] = ()
    ingresses: tuple[Ingress, ...] = ()
    policies: tuple[Policy, ...] = ()
    extensions: tuple[Extensions, ...] = ()
    templates: tuple[Template, ...] = ()
    addresses: tuple[Regional, ...] = ()
    attachments: tuple[Regional, ...] = ()
    endpoints: tuple[Regional, ...] = ()
    records: tuple[Record, ...] = ()
    networks: tuple[NamedObject, ...] = ()
    forwarding_rules: tuple[Part, ...] = ()
    proxies: tuple[Part, ...] = ()
    url_maps: tuple[Part, ...] = ()
    backend_services: tuple[Part, ...] = ()
    endpoint_groups: tuple[Part, ...] = ()
    security_policies: tuple[Regional, ...] = ()
    configs: tuple[ProxyConfig, ...] = ()
    objectives: tuple[Objective, ...] = ()
    node_pools: tuple[NamedObject, ...] = ()
    others: tuple[Other, ...] = ()

    def refers(self, source: InCluster, reference: Reference, candidate: InCluster) -> bool:
        """Return whether the reference of `source` is to `candidate`.

        A name that isn't known yet is told from the resources the source is wired from.
        """
        if (
            not source.shares_cluster(candidate)
            or not may_equal(reference.kind, candidate.kind)
            or not may_equal(reference.namespace, candidate.namespace)
        ):
            return False
        if reference.name is UNKNOWN:
            wired = {each.urn for each in self._alike(candidate)} & source.wired
            return not wired or candidate.urn in wired
        return may_equal(reference.name, candidate.name)

    def _alike(self, candidate: InCluster) -> Iterable[InCluster]:
        groups: Mapping[type[InCluster], Iterable[InCluster]] = {
            Gateway: self.gateways,
            Pool: self.pools,
            Service: self.services,
            Workload: self.workloads,
            Other: (each for each in self.others if each.kind == candidate.kind),
        }
        return groups[type(candidate)]
