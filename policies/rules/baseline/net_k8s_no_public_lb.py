"""No Kubernetes object opens the cluster past the inference Gateway."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, UNKNOWN, elements, entries, get, text
from resources.resource import Resource

_SERVICE: Final = "core/Service"
_INGRESSES: Final = ("extensions/Ingress", "networking.k8s.io/Ingress")
_GATEWAY: Final = "gateway.networking.k8s.io/Gateway"
# Of several clusters, by GKE's external load balancer; there is no internal one.
_MANY: Final = (
    "networking.gke.io/MultiClusterIngress",
    "networking.gke.io/MultiClusterService",
)
# What offers a Service to the other clusters of the fleet.
_EXPORTS: Final = ("multicluster.x-k8s.io/ServiceExport", "net.gke.io/ServiceExport")
# Istio's own, served by whatever its selector takes.
_ISTIO: Final = "networking.istio.io/Gateway"
# Served by an ingress with an external address, unless a label keeps them inside:
# https://knative.dev/docs/serving/services/private-services/
_KEPT_INSIDE: Final = {
    "serving.knative.dev/Route": "networking.knative.dev/visibility",
    "serving.knative.dev/Service": "networking.knative.dev/visibility",
    "serving.kserve.io/InferenceService": "networking.kserve.io/visibility",
}
# Routes and tunnels of other controllers, by their group: those that come into the cluster past the
# Gateway, whatever their kinds are called.
_CONTROLLERS: Final[Mapping[str, re.Pattern[str]]] = {
    group: re.compile(kinds)
    for group, kinds in {
        "apisix.apache.org": "Apisix(Route|Tls|Upstream)",
        "bindings.k8s.ngrok.com": "BoundEndpoint",
        "configuration.konghq.com": "(TCP|UDP)Ingress|Kong(Service|Route)",
        "consul.hashicorp.com": ".*Gateway",
        "gateway.solo.io": ".*",
        "getambassador.io": "Host|Listener|(TCP)?Mapping",
        "ingress.k8s.ngrok.com": ".*Edge|Domain|Tunnel",
        "ingress.v1.haproxy.org": "TCP",
        "k8s.nginx.org": "VirtualServer(Route)?|TransportServer",
        "kuma.io": "MeshGateway(Instance|Route)?|MeshHTTPRoute|MeshTCPRoute",
        "networking.cfargotunnel.com": ".*Tunnel(Binding)?",
        "ngrok.k8s.ngrok.com": ".*Endpoint|KubernetesOperator",
        "projectcontour.io": "HTTPProxy",
        "skupper.io": ".*",
        "tailscale.com": "Connector|ProxyGroup|ProxyGroupPolicy",
        "traefik.containo.us": "IngressRoute(TCP|UDP)?",
        "traefik.io": "IngressRoute(TCP|UDP)?",
        "x.getambassador.io": "Ambassador.*",
    }.items()
}
# Groups whose routes other rules judge, or that Google's own Gateway serves.
_JUDGED: Final = frozenset(
    {
        *("core", "apps", "extensions", "networking.k8s.io", "gateway.networking.k8s.io"),
        *("networking.gke.io", "networking.istio.io", "serving.knative.dev", "apim.googleapis.com"),
    }
)
# What a controller that no table knows calls such a thing.
_CALLED: Final = re.compile(
    r".*(Ingress|Route|Gateway|Tunnel|VirtualServer|VirtualHost)(TCP|UDP|Group|Set)?"
)
# More listeners for a Gateway, from whoever may make one: https://gateway-api.sigs.k8s.io/geps/gep-1713/
_LISTENERS: Final = (
    "gateway.networking.k8s.io/ListenerSet",
    "gateway.networking.x-k8s.io/XListenerSet",
)
# Lets another controller serve Gateways and Ingresses.
_CLASSES: Final = ("gateway.networking.k8s.io/GatewayClass", "networking.k8s.io/IngressClass")
# Rewrites what the proxies of a mesh do, listeners with it.
_PROXIES: Final = "networking.istio.io/EnvoyFilter"
# Leads a load balancer of one's own to addresses of pods:
# https://cloud.google.com/load-balancing/docs/negs/zonal-neg-concepts
_GROUP: Final = "gcp:compute/networkEndpointGroup:NetworkEndpointGroup"
_MESH_ROUTE: Final = "networking.istio.io/VirtualService"
# An address of a private network of another's: https://tailscale.com/kb/1439/kubernetes-operator
_TAILSCALE: Final = ("metadata", "annotations", "tailscale.com/expose")
# Gives a service a name on the web.
_MAPPING: Final = "serving.knative.dev/DomainMapping"
_INSIDE: Final = ("cluster-local", UNKNOWN)
_INTERNAL: Final = (
    ("networking.gke.io/load-balancer-type", "Internal"),
    ("cloud.google.com/load-balancer-type", "Internal"),
)
_INTERNAL_LB: Final = "networking.gke.io/l4-regional-internal"
_INTERNAL_CLASSES: Final = frozenset(
    {
        "gke-l7-cross-regional-internal-managed-mc",
        "gke-l7-rilb",
        "gke-l7-rilb-mc",
        "gke-passthrough-lb-internal-managed",
    }
)
_INTERNAL_INGRESS: Final = "gce-internal"
_PLAIN: Final = ("metadata", "annotations", "kubernetes.io/ingress.allow-http")


_SAYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_MANY, "is of the external load balancer of several clusters"),
    **dict.fromkeys(_EXPORTS, "offers a Service to every cluster of the fleet"),
    **dict.fromkeys(_LISTENERS, "gives a Gateway listeners that its own rules do not hold"),
    **dict.fromkeys(_CLASSES, "lets another controller serve Gateways or Ingresses"),
    _PROXIES: "changes what the proxies of a mesh let in",
    _ISTIO: "opens ports past the inference Gateway",
    _MAPPING: "gives a service a name on the internet",
}
_ANOTHER_WAY: Final = "opens a way in past the inference Gateway"
_KINDS: Final = (_SERVICE, _GATEWAY, _MESH_ROUTE, *_INGRESSES, *_KEPT_INSIDE, *_SAYS)


def _of_another_controller(kind: str) -> bool:
    group, _, name = kind.rpartition("/")
    if group in _CONTROLLERS:
        return _CONTROLLERS[group].fullmatch(name) is not None
    return bool(group) and group not in _JUDGED and _CALLED.fullmatch(name) is not None


def _is_internal(service: object) -> bool:
    """Return whether a LoadBalancer is internal: by its class, or else by an annotation."""
    controller = text(service, "spec", "loadBalancerClass")
    if controller is not MISSING:
        return controller in (_INTERNAL_LB, UNKNOWN)
    annotations = get(service, "metadata", "annotations")
    return any(text(annotations, name) == value for name, value in _INTERNAL)


def _service(service: object) -> Iterator[str]:
    kind = text(service, "spec", "type")
    if kind == "NodePort":
        yield "is a NodePort, open on every node"
    elif kind is UNKNOWN:
        yield "is of a type that is not known during preview"
    elif kind == "LoadBalancer" and not _is_internal(service):
        yield "is a LoadBalancer without the annotation that makes it internal"
    if entries(service, "spec", "externalIPs") not in (MISSING, ()):
        yield "takes external addresses"
    if text(service, *_TAILSCALE) == "true":
        yield "is offered to a network outside by its annotation"


def _ingress(ingress: object, *, patch: bool) -> Iterator[str]:
    kind = text(ingress, "metadata", "annotations", "kubernetes.io/ingress.class")
    named = text(ingress, "spec", "ingressClassName")
    # Without a class it is GKE's external one; a patch without one keeps what there is.
    given = not patch or not kind is named is MISSING
    if given and _INTERNAL_INGRESS not in (kind, named):
        yield "is an Ingress with an external load balancer"
    elif not patch and text(ingress, *_PLAIN) not in ("false", UNKNOWN):
        yield "is an Ingress that takes plain HTTP"


def _gateway(gateway: object) -> Iterator[str]:
    kind = text(gateway, "spec", "gatewayClassName")
    if isinstance(kind, str) and kind not in _INTERNAL_CLASSES:
        yield "is a Gateway of a class that may have external addresses"
    elif kind is UNKNOWN:
        yield "is a Gateway of a class that is not known during preview"


def _kept_inside(kind: str, service: object) -> Iterator[str]:
    if text(service, "metadata", "labels", _KEPT_INSIDE[kind]) not in _INSIDE:
        yield "is served on the internet without the label that keeps it in the cluster"


def _mesh_route(route: object) -> Iterator[str]:
    if set(elements(route, "spec", "gateways")) - {"mesh", UNKNOWN}:
        yield _ANOTHER_WAY


_JUDGES: Final[Mapping[str, Callable[[object], Iterator[str]]]] = {
    _SERVICE: _service,
    _GATEWAY: _gateway,
    _MESH_ROUTE: _mesh_route,
    **{kind: partial(_kept_inside, kind) for kind in _KEPT_INSIDE},
}


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if resource.type == _GROUP:
        # The type that it has where none is given.
        addresses = text(resource.props, "networkEndpointType") in ("GCE_VM_IP_PORT", MISSING)
        if addresses and text(resource.props, "name") not in limits.names("allowedNames"):
            yield _ANOTHER_WAY
        return
    kind, patch = kind_of(resource.type), is_patch(resource.type)
    for each in objects(resource.type, resource.props):
        if text(each, "metadata", "name") in limits.names("allowedNames"):
            continue
        if each is UNKNOWN:
            yield "has objects that are not known during preview"
        elif kind in _JUDGES:
            yield from _JUDGES[kind](each)
        elif kind in _INGRESSES:
            yield from _ingress(each, patch=patch)
        else:
            yield _SAYS.get(kind, _ANOTHER_WAY)


RULE: Final = ResourceRule(
    id="net-k8s-no-public-lb",
    display_name="Nothing in a cluster is public",
    description=(
        "No Service, Gateway, Ingress, Knative service or route of another controller is public or "
        "a way past the Gateway, unless it is allowed by name, and no Ingress takes plain HTTP."
    ),
    why="It gets an address on the internet past the gateway, its guardrails and its certificates.",
    remediation=(
        "use ClusterIP, an internal load balancer or a gke-l7-rilb Gateway, or allow the name "
        "in the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api",
    limits=(
        NamesLimit("allowedNames", "Names of Kubernetes objects that may be public", default=()),
    ),
    applies=lambda resource_type: (
        resource_type == _GROUP
        or kind_of(resource_type) in _KINDS
        or _of_another_controller(kind_of(resource_type))
    ),
    check=_check,
)
