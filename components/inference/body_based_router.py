"""BodyBasedRouter: copies the model name from a request's body into a header, to route by.

Owns the router and its extension of one Gateway. Does not own the Gateway nor the routes.
Guardrails and API management are not routing: they are in the Gateway's chain (TrafficExtension).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from catalog import ports
from catalog.conventions import MODEL_HEADER
from catalog.limits.images import IMAGE
from components.inference import pods, workloads
from components.inference.custom_resources import (
    GATEWAY,
    ROUTING_EXTENSION,
    SERVICE,
    Identity,
    custom_resource,
    pod_monitoring,
)
from components.validation import component_type, register


class BodyBasedRouterArgs(TypedDict):
    """Arguments of `BodyBasedRouter`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway."""
    physical_name: str
    """Name of the objects."""
    gateway_name: str
    """Name of the Gateway to extend."""
    image: Annotated[pulumi.Input[str], IMAGE]
    """Container image."""


class BodyBasedRouter(pulumi.ComponentResource):
    """Makes the body-based router and puts it before the route lookup of a Gateway.

    Every request passes it and fails without it, so two replicas run on different nodes, and up to
    eight by the CPU they use. Its account has no right at all: header by model name needs no object
    of the cluster. Source:
    https://github.com/kubernetes-sigs/gateway-api-inference-extension/tree/v1.5.0/pkg/bbr and
    https://cloud.google.com/kubernetes-engine/docs/how-to/configure-body-based-routing
    """

    service_name: pulumi.Output[str]
    """Name of the Service, known once the router is ready."""

    def __init__(
        self,
        name: str,
        args: BodyBasedRouterArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(BodyBasedRouter), name, {}, opts)
        physical_name = args["physical_name"]
        selector = pods.selector_labels("body-based-router", physical_name)
        identity = Identity(physical_name, args["namespace"], selector)
        child = pulumi.ResourceOptions(parent=self)
        callout = workloads.callout(
            name,
            identity,
            selector,
            _pod_spec(physical_name, selector, args),
            replicas=workloads.PROXY_REPLICAS,
            port=ports.BODY_BASED_ROUTER,
            health_port=ports.BODY_BASED_ROUTER_HEALTH,
            parent=self,
        )
        pod_monitoring(f"{name}-monitoring", identity, selector, ["metrics"], child)
        custom_resource(
            f"{name}-extension",
            ROUTING_EXTENSION,
            identity,
            _extension(physical_name, args["gateway_name"]),
            # From its creation on, every request needs a healthy router.
            pulumi.ResourceOptions(
                parent=self,
                depends_on=[callout.deployment, callout.service, callout.health_check],
            ),
        )
        self.service_name = callout.service.metadata.name
        register(self)


def _extension(service: str, gateway: str) -> dict[str, Any]:
    backend = {"group": "", "kind": SERVICE.kind, "name": service, "port": ports.BODY_BASED_ROUTER}
    extension = {
        "name": "model-name",
        "authority": service,
        "timeout": "1s",
        "failOpen": False,
        "supportedEvents": ["RequestHeaders", "RequestBody", "RequestTrailers"],
        "requestBodySendMode": "FullDuplexStreamed",
        "backendRef": backend,
    }
    return {
        "targetRefs": [GATEWAY.reference(gateway)],
        "extensionChains": [{"name": "body-based-routing", "extensions": [extension]}],
    }


def _pod_spec(
    physical_name: str, selector: Mapping[str, str], args: BodyBasedRouterArgs
) -> PodSpecArgsDict:
    to_header = json.dumps({"fieldName": "model", "headerName": MODEL_HEADER})
    flags = [
        "--streaming",
        # Naming the plugin leaves out the default one that reads ConfigMaps.
        f"--plugin=body-field-to-header:model-to-header:{to_header}",
        *pods.extension_flags(
            ports.BODY_BASED_ROUTER, ports.BODY_BASED_ROUTER_HEALTH, ports.METRICS
        ),
    ]
    return {
        "service_account_name": physical_name,
        # The program makes a Kubernetes client when it starts.
        "automount_service_account_token": True,
        "enable_service_links": False,
        "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
        "topology_spread_constraints": pods.spread_over_nodes(selector),
        "containers": [
            {
                "name": "bbr",
                "image": args["image"],
                "args": flags,
                "ports": [
                    {"name": "grpc", "container_port": ports.BODY_BASED_ROUTER},
                    {"name": "grpc-health", "container_port": ports.BODY_BASED_ROUTER_HEALTH},
                    {"name": "metrics", "container_port": ports.METRICS},
                ],
                "startup_probe": pods.extension_startup_probe(ports.BODY_BASED_ROUTER),
                "liveness_probe": pods.tcp_probe(ports.BODY_BASED_ROUTER_HEALTH, 10),
                "readiness_probe": pods.grpc_probe(ports.BODY_BASED_ROUTER_HEALTH, 2),
                "resources": pods.resources(
                    {"cpu": "250m", "memory": "256Mi"}, {"memory": "512Mi"}
                ),
                "security_context": pods.container_security(read_only_root=True),
            }
        ],
    }


__all__ = ["BodyBasedRouter", "BodyBasedRouterArgs"]
