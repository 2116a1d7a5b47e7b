"""The custom resources the platform makes: one builder a kind, so that a field has one place.

Specs follow the CRDs that GKE installs: https://github.com/GoogleCloudPlatform/gke-gateway-api for
networking.gke.io, https://gateway-api.sigs.k8s.io/reference/spec for gateway.networking.k8s.io.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from catalog import releases


@dataclass(frozen=True)
class Kind:
    """A kind of custom resource."""

    api_version: str
    kind: str

    @property
    def group(self) -> str:
        """API group of the kind."""
        return self.api_version.rpartition("/")[0]

    def reference(self, name: pulumi.Input[str]) -> dict[str, Any]:
        """Return a reference to an object of this kind in the same namespace."""
        return {"group": self.group, "kind": self.kind, "name": name}


def _kind(kind: str) -> Kind:
    return Kind(releases.CUSTOM_RESOURCES[kind].api_version, kind)


GATEWAY = _kind("Gateway")
HTTP_ROUTE = _kind("HTTPRoute")
INFERENCE_POOL = _kind("InferencePool")
INFERENCE_OBJECTIVE = _kind("InferenceObjective")
GATEWAY_POLICY = _kind("GCPGatewayPolicy")
BACKEND_POLICY = _kind("GCPBackendPolicy")
HEALTH_CHECK_POLICY = _kind("HealthCheckPolicy")
ROUTING_EXTENSION = _kind("GCPRoutingExtension")
TRAFFIC_EXTENSION = _kind("GCPTrafficExtension")
LEADER_WORKER_SET = _kind("LeaderWorkerSet")
APIGEE_BACKEND_SERVICE = _kind("ApigeeBackendService")
POD_MONITORING = _kind("PodMonitoring")
SECRET_PROVIDER_CLASS = _kind("SecretProviderClass")
SERVICE = Kind("v1", "Service")


@dataclass(frozen=True)
class Identity:
    """Who an object is."""

    name: str
    namespace: pulumi.Input[str]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def metadata(self, annotations: Mapping[str, str] | None = None) -> ObjectMetaArgsDict:
        """Return the metadata of the object."""
        metadata: ObjectMetaArgsDict = {"name": self.name, "namespace": self.namespace}
        if self.labels:
            metadata["labels"] = dict(self.labels)
        if annotations:
            metadata["annotations"] = dict(annotations)
        return metadata


def custom_resource(
    resource_name: str,
    kind: Kind,
    identity: Identity,
    spec: Mapping[str, Any],
    opts: pulumi.ResourceOptions,
    annotations: Mapping[str, str] | None = None,
) -> CustomResource:
    """Make an object of a kind."""
    return CustomResource(
        resource_name,
        kind.api_version,
        kind.kind,
        spec=dict(spec),
        metadata=identity.metadata(annotations),
        opts=opts,
    )


def http_health_check(
    resource_name: str,
    identity: Identity,
    target: Mapping[str, Any],
    path: str,
    port: int,
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """Make a HealthCheckPolicy that asks a path over HTTP; without one the load balancer asks /."""
    check = {**_fixed_port(port), "requestPath": path}
    spec = {
        "targetRef": dict(target),
        "default": {
            "checkIntervalSec": 5,
            "timeoutSec": 2,
            "logConfig": {"enabled": True},
            "config": {"type": "HTTP", "httpHealthCheck": check},
        },
    }
    return custom_resource(resource_name, HEALTH_CHECK_POLICY, identity, spec, opts)


def grpc_health_check(
    resource_name: str,
    identity: Identity,
    target: Mapping[str, Any],
    port: int,
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """Make a HealthCheckPolicy that asks the gRPC health service on a port."""
    spec = {
        "targetRef": dict(target),
        "default": {
            "logConfig": {"enabled": True},
            "config": {"type": "GRPC", "grpcHealthCheck": _fixed_port(port)},
        },
    }
    return custom_resource(resource_name, HEALTH_CHECK_POLICY, identity, spec, opts)


def _fixed_port(port: int) -> dict[str, Any]:
    # A port without its specification is refused: the default is the serving port.
    return {"portSpecification": "USE_FIXED_PORT", "port": port}


def pod_monitoring(
    resource_name: str,
    identity: Identity,
    selector: Mapping[str, str],
    ports: Sequence[str],
    opts: pulumi.ResourceOptions,
) -> CustomResource:
    """Make a PodMonitoring: Managed Service for Prometheus scrapes /metrics on the named ports."""
    spec = {
        "selector": {"matchLabels": dict(selector)},
        "endpoints": [{"port": port, "path": "/metrics", "interval": "15s"} for port in ports],
    }
    return custom_resource(resource_name, POD_MONITORING, identity, spec, opts)
