"""Read the objects out of a stack's resources: one module for each family of kinds."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from request_path.objects import Objects
from request_path.reading import extensions, google, load_balancers, proxy_config, replicas, routes
from resources.resource import Resource, Stack

POLICY_KINDS: Final = ("HealthCheckPolicy", "GCPBackendPolicy", "GCPGatewayPolicy")
EXTENSION_KINDS: Final = ("GCPTrafficExtension", "GCPRoutingExtension")
WORKLOAD_KINDS: Final = ("Deployment", "StatefulSet", "LeaderWorkerSet")
# Extensions of a Gateway read what comes by HTTPRoutes; Model Armor reads no gRPC.
UNREAD_KINDS: Final = ("GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")
INGRESS_KINDS: Final = ("Ingress", "ServiceExport", *UNREAD_KINDS)
OTHER_KINDS: Final = ("ReferenceGrant", "ApigeeBackendService", "GCPWasmPlugin", "ServiceImport")


def read(resources: Iterable[Resource]) -> Objects:
    """Return the objects among the resources; everything else is passed over."""
    found: dict[str, list[Any]] = {}
    for resource in resources:
        reader = _reader(resource.type)
        if reader is not None:
            group, make = reader
            made = make(resource)
            if made is not None:
                found.setdefault(group, []).append(made)
    return Objects(**{group: tuple(each) for group, each in found.items()})


def objects_of(stack: Stack) -> Objects:
    """Return the objects of a stack, read once."""
    if "objects" not in stack.shared:
        stack.shared["objects"] = read(stack)
    return cast("Objects", stack.shared["objects"])


def _reader(resource_type: str) -> "_Reader | None":
    if resource_type in _READERS:
        return _READERS[resource_type]
    if resource_type.startswith("kubernetes:"):
        return _CUSTOM.get(resource_type.rpartition(":")[2])
    return None


_Reader = tuple[str, Callable[[Resource], object]]
_READERS: Final[Mapping[str, _Reader]] = {
    "kubernetes:core/v1:Service": ("services", replicas.service),
    "kubernetes:core/v1:ConfigMap": ("configs", proxy_config.config),
    "gcp:modelarmor/template:Template": ("templates", google.template),
    "gcp:compute/address:Address": ("addresses", google.regional),
    "gcp:compute/serviceAttachment:ServiceAttachment": ("attachments", google.regional),
    google.FORWARDING_RULE: ("endpoints", google.regional),
    "gcp:dns/recordSet:RecordSet": ("records", google.record),
    "gcp:compute/network:Network": ("networks", google.named),
    "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy": ("security_policies", google.regional),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": (
        "forwarding_rules",
        load_balancers.part,
    ),
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": ("proxies", load_balancers.part),
    "gcp:compute/uRLMap:URLMap": ("url_maps", load_balancers.part),
    "gcp:compute/backendService:BackendService": ("backend_services", load_balancers.part),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": (
        "endpoint_groups",
        load_balancers.part,
    ),
    "gcp:container/nodePool:NodePool": ("node_pools", google.named),
}
# Custom resources: of any version, as versions of a kind differ in nothing that is read here.
_CUSTOM: Final[Mapping[str, _Reader]] = {
    "Gateway": ("gateways", routes.gateway),
    "HTTPRoute": ("routes", routes.route),
    "InferencePool": ("pools", replicas.pool),
    "InferenceObjective": ("objectives", replicas.objective),
    **dict.fromkeys(WORKLOAD_KINDS, ("workloads", replicas.workload)),
    **dict.fromkeys(INGRESS_KINDS, ("ingresses", replicas.ingress)),
    "HorizontalPodAutoscaler": ("autoscalers", replicas.autoscaler),
    **dict.fromkeys(POLICY_KINDS, ("policies", extensions.policy)),
    **dict.fromkeys(EXTENSION_KINDS, ("extensions", extensions.extensions)),
    **dict.fromkeys(OTHER_KINDS, ("others", extensions.other)),
}
