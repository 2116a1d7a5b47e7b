"""No Kubernetes object opens the cluster to the internet."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, UNKNOWN, entries, get, text
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
# Gives a service a name on the web.
_MAPPING: Final = "serving.knative.dev/DomainMapping"
_INSIDE: Final = ("cluster-local", UNKNOWN)
_INTERNAL: Final = (
    ("networking.gke.io/load-balancer-type", "Internal"),
    ("cloud.google.com/load-balancer-type", "Internal"),
)
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


_KINDS: Final = (
    *(_SERVICE, _GATEWAY, _ISTIO, *_INGRESSES, *_MANY, *_EXPORTS),
    *(*_KEPT_INSIDE, _MAPPING),
)


def _service(service: object) -> Iterator[str]:
    kind = text(service, "spec", "type")
    annotations = get(service, "metadata", "annotations")
    if kind == "NodePort":
        yield "is a NodePort, open on every node"
    elif kind is UNKNOWN:
        yield "is of a type that is not known during preview"
    elif kind == "LoadBalancer" and not any(
        text(annotations, name) == value for name, value in _INTERNAL
    ):
        yield "is a LoadBalancer without the annotation that makes it internal"
    if entries(service, "spec", "externalIPs") not in (MISSING, ()):
        yield "takes external addresses"


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


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    kind = kind_of(resource.type)
    for each in objects(resource.type, resource.props):
        if text(each, "metadata", "name") in limits.names("allowedNames"):
            continue
        if each is UNKNOWN:
            yield "has objects that are not known during preview"
        elif kind == _SERVICE:
            yield from _service(each)
        elif kind == _GATEWAY:
            yield from _gateway(each)
        elif kind in _MANY:
            yield "is of the external load balancer of several clusters"
        elif kind in _EXPORTS:
            yield "offers a Service to every cluster of the fleet"
        elif kind in _KEPT_INSIDE:
            if text(each, "metadata", "labels", _KEPT_INSIDE[kind]) not in _INSIDE:
                yield "is served on the internet without the label that keeps it in the cluster"
        elif kind == _MAPPING:
            yield "gives a service a name on the internet"
        elif kind == _ISTIO:
            yield "opens ports past the inference Gateway"
        else:
            yield from _ingress(each, patch=is_patch(resource.type))


RULE: Final = ResourceRule(
    id="net-k8s-no-public-lb",
    display_name="Nothing in a cluster is public",
    description=(
        "No Service, Gateway, Ingress or Knative service is public, unless it is allowed by name, "
        "and no Ingress takes plain HTTP."
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
    applies=lambda resource_type: kind_of(resource_type) in _KINDS,
    check=_check,
)
