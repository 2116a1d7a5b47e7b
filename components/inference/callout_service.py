"""CalloutService: a service of the cluster that a load balancer calls out to for each request.

Owns its Deployment, Service and health check. Does not own the extension of the Gateway: it gives
its place in the chain (TrafficExtension). Serves for API management other than Apigee and for
guardrails other than Model Armor, such as NVIDIA NeMo Guardrails.
"""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from catalog.limits import inference as limits
from catalog.limits.images import IMAGE
from catalog.limits.names import KUBERNETES_NAME, RESOURCE_NAME
from components.inference import pods, workloads
from components.inference.custom_resources import Identity
from components.inference.extensions import Extension
from components.names import dns_label
from components.ready import after
from components.validation import Problems, component_type, register


class CalloutServiceArgs(TypedDict):
    """Arguments of `CalloutService`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway."""
    extension_name: Annotated[str, RESOURCE_NAME]
    """Name of the extension within the chain, such as `guardrail`."""
    image: Annotated[pulumi.Input[str], IMAGE]
    """Container image of a server for the ext_proc protocol of Envoy, over gRPC without TLS, that
    runs as any user and needs no writable root."""
    port: Annotated[int, limits.UNPRIVILEGED_PORT]
    """Port the server listens on."""
    health_port: NotRequired[Annotated[int | None, limits.UNPRIVILEGED_PORT]]
    """Port of its gRPC health service (default: the same)."""
    replicas: NotRequired[Annotated[int, limits.CALLOUT_REPLICAS]]
    """Replicas, on different nodes where there are some."""
    max_replicas: NotRequired[Annotated[int | None, limits.CALLOUT_REPLICAS]]
    """Replicas there may be by the CPU they use (default: `replicas`, always as many)."""
    cpu: NotRequired[Annotated[str, limits.CPU]]
    """CPU of one replica."""
    memory: NotRequired[Annotated[str, limits.MEMORY]]
    """Memory of one replica."""
    environment: NotRequired[Mapping[Annotated[str, limits.VARIABLE], str]]
    """Environment variables. No secrets: they would be in the manifest and in the state."""
    fail_open: NotRequired[bool]
    """Without an answer, let requests and responses pass (default false)."""
    timeout_seconds: NotRequired[Annotated[float, limits.EXTENSION_TIMEOUT_SECONDS]]
    """Longest wait for an answer."""


def validate_callout_service(name: str, args: CalloutServiceArgs) -> Problems:
    """Check the plain arguments of a `CalloutService`."""
    problems = Problems.of(CalloutServiceArgs, args)
    problems.check_limit(KUBERNETES_NAME, dns_label(name), "name")
    problems.extend(limits.callout_replicas(args))
    return problems


class CalloutService(pulumi.ComponentResource):
    """Runs a server that sees each request and response of a Gateway, and may change or refuse it.

    Every request fails without it, so two replicas run on different nodes, and more by the CPU they
    use where `max_replicas` lets them. Bodies are sent whole
    both ways: chunk by chunk, what is longer than a chunk would pass unscreened. Its account has no
    right at all.
    https://cloud.google.com/service-extensions/docs/configure-callout

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    extension: Extension
    """The service's place in a chain; what uses it waits until the service is ready."""

    def __init__(
        self, name: str, args: CalloutServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(CalloutService), name, {}, opts)
        validate_callout_service(name, args).raise_if_any(name)
        physical_name = dns_label(name)
        selector = pods.selector_labels("callout", physical_name)
        identity = Identity(physical_name, args["namespace"], selector)
        callout = workloads.callout(
            name,
            identity,
            selector,
            _pod_spec(physical_name, selector, args),
            replicas=_replicas(args),
            port=args["port"],
            health_port=_health_port(args),
            parent=self,
        )
        service_name = after(
            physical_name, callout.deployment.id, callout.service.id, callout.health_check.id
        )
        self.extension = {
            "name": args["extension_name"],
            "service": {"name": service_name, "port": args["port"]},
            "whole_bodies": True,
            "fail_open": args.get("fail_open", False),
            "timeout_seconds": args.get(
                "timeout_seconds", limits.EXTENSION_TIMEOUT_SECONDS.default
            ),
        }
        register(self)


def _replicas(args: CalloutServiceArgs) -> tuple[int, int]:
    least = args.get("replicas", limits.CALLOUT_REPLICAS.default)
    return least, args.get("max_replicas") or least


def _health_port(args: CalloutServiceArgs) -> int:
    return args.get("health_port") or args["port"]


def _pod_spec(
    physical_name: str, selector: Mapping[str, str], args: CalloutServiceArgs
) -> PodSpecArgsDict:
    cpu = args.get("cpu", limits.CPU.default)
    memory = args.get("memory", limits.MEMORY.default)
    health = pods.grpc_probe(_health_port(args), 5)
    return {
        "service_account_name": physical_name,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
        "topology_spread_constraints": pods.spread_over_nodes(selector),
        "volumes": [pods.scratch("tmp", pods.DISK)],
        "containers": [
            {
                "name": "callout",
                "image": args["image"],
                "env": [
                    {"name": key, "value": value}
                    for key, value in args.get("environment", {}).items()
                ],
                "ports": [{"name": "grpc", "container_port": args["port"]}],
                # A guardrail may load a model first.
                "startup_probe": {**health, "failure_threshold": 60},
                "readiness_probe": health,
                "liveness_probe": {**pods.tcp_probe(_health_port(args), 5), "failure_threshold": 6},
                "resources": pods.resources(
                    {"cpu": cpu, "memory": memory},
                    {"memory": memory},
                ),
                "security_context": pods.container_security(read_only_root=True),
                "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - its own
            }
        ],
    }


__all__ = ["CalloutService", "CalloutServiceArgs", "validate_callout_service"]
