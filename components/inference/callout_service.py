"""CalloutService: a service of the cluster that a load balancer calls out to for each request.

Owns its Deployment, Service and health check. Does not own the extension of the Gateway: it gives
its place in the chain (TrafficExtension). Serves for API management other than Apigee and for
guardrails other than Model Armor, such as NVIDIA NeMo Guardrails.
"""

from collections.abc import Mapping
from typing import Final, NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import PodSpecArgsDict

from components.checks import check_between, check_labels
from components.inference import pods, workloads
from components.inference.custom_resources import Identity
from components.inference.extensions import DEFAULT_TIMEOUT_SECONDS, Extension
from components.names import LABEL_LENGTH, dns_label
from components.ready import after
from components.validation import Problems, component_type

DEFAULT_REPLICAS: Final = 2
HIGHEST_PORT: Final = 65535
UNPRIVILEGED_PORT: Final = 1024


class CalloutServiceArgs(TypedDict):
    """Arguments of `CalloutService`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway."""
    extension_name: str
    """Name of the extension within the chain, such as `guardrail`."""
    image: pulumi.Input[str]
    """Container image of a server for the ext_proc protocol of Envoy, over gRPC without TLS, that
    runs as any user and needs no writable root."""
    port: int
    """Port the server listens on: 1024 to 65535."""
    health_port: NotRequired[int]
    """Port of its gRPC health service (default: the same)."""
    replicas: NotRequired[int]
    """Replicas, on different nodes where there are some (default 2)."""
    cpu: NotRequired[str]
    """CPU of one replica (default 500m)."""
    memory: NotRequired[str]
    """Memory of one replica (default 1Gi)."""
    environment: NotRequired[Mapping[str, str]]
    """Environment variables. No secrets: they would be in the manifest and in the state."""
    fail_open: NotRequired[bool]
    """Without an answer, let requests and responses pass (default false)."""
    timeout_seconds: NotRequired[float]
    """Longest wait for an answer: 0.01 to 10 (default 10)."""
    labels: NotRequired[Mapping[str, str]]
    """Kubernetes labels."""


def validate_callout_service(name: str, args: CalloutServiceArgs) -> Problems:
    """Check the plain arguments of a `CalloutService`."""
    problems = Problems()
    length = len(dns_label(name))
    if not 0 < length <= LABEL_LENGTH:
        problems.add("name", f"found {name!r}, allowed: what makes 1 to {LABEL_LENGTH} characters")
    problems.check_name("extension_name", args["extension_name"])
    for field, port in (("port", args["port"]), ("health_port", args.get("health_port"))):
        if port is not None:
            check_between(problems, field, port, UNPRIVILEGED_PORT, HIGHEST_PORT)
    check_between(problems, "replicas", args.get("replicas", DEFAULT_REPLICAS), 1, 100)
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


class CalloutService(pulumi.ComponentResource):
    """Runs a server that sees each request and response of a Gateway, and may change or refuse it.

    Every request fails without it, so two replicas run on different nodes. Bodies are sent whole
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
        labels = {**args.get("labels", {}), **selector}
        identity = Identity(physical_name, args["namespace"], labels)
        callout = workloads.callout(
            name,
            identity,
            selector,
            _pod_spec(physical_name, selector, args),
            replicas=args.get("replicas", DEFAULT_REPLICAS),
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
            "timeout_seconds": args.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS),
        }
        self.register_outputs({"extension": self.extension})


def _health_port(args: CalloutServiceArgs) -> int:
    return args.get("health_port", args["port"])


def _pod_spec(
    physical_name: str, selector: Mapping[str, str], args: CalloutServiceArgs
) -> PodSpecArgsDict:
    memory = args.get("memory", "1Gi")
    health = pods.grpc_probe(_health_port(args), 5)
    return {
        "service_account_name": physical_name,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
        "topology_spread_constraints": pods.spread_over_nodes(selector),
        "volumes": [{"name": "tmp", "empty_dir": {}}],
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
                    {"cpu": args.get("cpu", "500m"), "memory": memory}, {"memory": memory}
                ),
                "security_context": pods.container_security(read_only_root=True),
                "volume_mounts": [{"name": "tmp", "mount_path": "/tmp"}],  # noqa: S108 - its own
            }
        ],
    }


__all__ = ["CalloutService", "CalloutServiceArgs", "validate_callout_service"]
