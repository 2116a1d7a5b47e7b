"""No Kubernetes object opens the cluster to the internet."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NamesLimit
from policies.rules.peek import MISSING, Props, peek, text
from policies.rules.rule import Resource, ResourceRule

_SERVICE: Final = "kubernetes:core/v1:Service"
_INGRESS: Final = "kubernetes:networking.k8s.io/v1:Ingress"
_GATEWAY: Final = re.compile(r"kubernetes:gateway\.networking\.k8s\.io/v1(beta1|alpha2)?:Gateway")
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
_GOOGLE_CLASS: Final = re.compile(r"gke-.*|asm-.*")


def _service(props: Props) -> Iterator[str]:
    kind = text(props, "spec", "type")
    annotations = peek(props, "metadata", "annotations")
    if kind == "NodePort":
        yield "is a NodePort, open on every node"
    elif kind == "LoadBalancer" and not any(
        text(annotations, name) == value for name, value in _INTERNAL
    ):
        yield "is a LoadBalancer without the annotation that makes it internal"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if text(resource.props, "metadata", "name") in limits.names("allowedNames"):
        return
    if resource.type == _SERVICE:
        yield from _service(resource.props)
    elif resource.type == _INGRESS:
        kind = text(resource.props, "metadata", "annotations", "kubernetes.io/ingress.class")
        named = text(resource.props, "spec", "ingressClassName")
        if kind in (MISSING, "gce") and named in (MISSING, "gce"):
            yield "is an Ingress with an external load balancer"
    else:
        kind = text(resource.props, "spec", "gatewayClassName")
        google = isinstance(kind, str) and _GOOGLE_CLASS.fullmatch(kind)
        if google and kind not in _INTERNAL_CLASSES:
            yield "is a Gateway of a class with external addresses"


RULE: Final = ResourceRule(
    id="net-k8s-no-public-lb",
    display_name="Nothing in a cluster is public",
    description="No Service, Gateway or Ingress is public, unless it is allowed by name.",
    why="It gets an address on the internet past the gateway, its guardrails and its certificates.",
    remediation=(
        "use ClusterIP, an internal load balancer or a gke-l7-rilb Gateway, or allow the name "
        "in the policy config."
    ),
    severity=Severity.HIGH,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api",
    limits=(NamesLimit("allowedNames", "Names of Kubernetes objects that may be public"),),
    applies=lambda resource_type: (
        resource_type in (_SERVICE, _INGRESS) or _GATEWAY.fullmatch(resource_type) is not None
    ),
    check=_check,
)
