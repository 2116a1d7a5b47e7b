"""EndpointPicker: chooses the replica of a pool that answers a request.

Owns the picker's Deployment, Service, configuration and rights. Does not own the InferencePool that
refers to it, nor the definitions it watches (InferenceCrds).
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import yaml
from pulumi_kubernetes.core.v1 import PodSpecArgsDict
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from catalog import ports, releases
from catalog.limits import inference as limits
from catalog.limits.images import IMAGE
from components.inference import inference_crds, pods
from components.inference.custom_resources import INFERENCE_POOL, Identity, pod_monitoring
from components.inference.workloads import ext_proc_service, service_account
from components.validation import component_type, register

POOL_GROUP = INFERENCE_POOL.group
HEALTH_SERVICE = "inference-extension"
CONFIG_FILE = "config.yaml"
CONFIG_DIRECTORY = "/config"
GRACE_PERIOD_SECONDS = 130
MEMORY = f"{limits.PICKER_MEMORY_GIB}Gi"
READS = ("get", "watch", "list")

FLOW_CONTROL = "flowControl"
"""Feature gate of the flow control layer."""
_PREFIXES = "approx-prefix-cache-producer"
_SATURATION = "utilization-detector"


class Scheduling(TypedDict):
    """How a picker chooses, where it is not as every pool's does."""

    scorers: NotRequired[
        Mapping[Annotated[str, limits.SCORER], Annotated[int, limits.SCORER_WEIGHT]]
    ]
    """Weights by scorer beside the defaults; 0 leaves one out."""
    prefix_tokens: NotRequired[Annotated[int | None, limits.PREFIX_TOKENS]]
    """Tokens of a prompt's beginning that are compared (default: 256 blocks)."""
    prefix_blocks_per_replica: NotRequired[Annotated[int | None, limits.PREFIX_BLOCKS]]
    """Blocks of prompts remembered for each replica (default: what its KV cache holds)."""
    saturated_queue: NotRequired[Annotated[int, limits.SATURATED_QUEUE]]
    """Waiting requests of a replica from which on it is saturated."""
    saturated_kv_cache_percent: NotRequired[Annotated[int, limits.SATURATED_KV_CACHE]]
    """Use of a replica's KV cache from which on it is saturated."""


class EndpointPickerArgs(TypedDict):
    """Arguments of `EndpointPicker`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the pool."""
    pool: str
    """Name of the InferencePool."""
    lora: NotRequired[bool]
    """The replicas serve LoRA adapters (default false)."""
    flow_control: NotRequired[bool]
    """Queue requests by priority while the replicas are saturated (default false)."""
    goes_to_zero: NotRequired[bool]
    """There may be no replica: requests that wait may go to one that came later (default false)."""
    scheduling: NotRequired[Scheduling]
    """How it chooses, where that is not the default."""
    image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image; default: the catalog's."""
    extension_api_group: NotRequired[pulumi.Input[str]]
    """API group of InferenceObjective, from `InferenceCrds.api_group`."""


class EndpointPicker(pulumi.ComponentResource):
    """Makes the endpoint picker of one pool, release 1.5 of the Gateway API Inference Extension.

    One replica: the prefix index lives in its memory, so a second one would only stand by, and
    while there is none, a pool that fails open is served in turn. Its account reads pods, pools,
    objectives and rewrites of its own namespace and nothing else, and its metrics need no token, so
    that it may not judge tokens either. Source:
    https://github.com/kubernetes-sigs/gateway-api-inference-extension/tree/v1.5.0/config/charts
    """

    service_name: pulumi.Output[str]
    """Name of the Service, known once the picker is ready."""

    def __init__(
        self,
        name: str,
        args: EndpointPickerArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(EndpointPicker), name, {}, opts)
        physical_name = picker_name(args["pool"])
        selector = pods.selector_labels("endpoint-picker", physical_name)
        identity = Identity(physical_name, args["namespace"], selector)
        metadata = identity.metadata()
        child = pulumi.ResourceOptions(parent=self)

        account = service_account(name, identity, child)
        binding = self._rights(name, args, identity)
        config = picker_config(
            lora=args.get("lora", False),
            flow_control=args.get("flow_control", False),
            scheduling=args.get("scheduling"),
        )
        config_map = kubernetes.core.v1.ConfigMap(
            f"{name}-config", metadata=metadata, data={CONFIG_FILE: config}, opts=child
        )
        kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata,
            spec={
                "replicas": 1,
                # Never none, and two for a moment only: each knows half of the cached prefixes.
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_surge": 1, "max_unavailable": 0},
                },
                "selector": {"match_labels": selector},
                "template": {
                    "metadata": {
                        "labels": selector,
                        # The picker reads its configuration only when it starts.
                        "annotations": {
                            "checksum/config": hashlib.sha256(config.encode()).hexdigest()
                        },
                    },
                    "spec": _pod_spec(physical_name, args),
                },
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[account, binding, config_map]),
        )
        service = ext_proc_service(
            name, identity, selector, ports.ENDPOINT_PICKER, child, app_protocol="http2"
        )
        pod_monitoring(f"{name}-monitoring", identity, selector, ["metrics"], child)
        self.service_name = service.metadata.name
        register(self)

    def _rights(
        self, name: str, args: EndpointPickerArgs, identity: Identity
    ) -> kubernetes.rbac.v1.RoleBinding:
        extension_group = args.get("extension_api_group", inference_crds.API_GROUP)
        role = kubernetes.rbac.v1.Role(
            f"{name}-role",
            metadata=identity.metadata(),
            rules=[
                _rule("", ["pods"]),
                _rule(POOL_GROUP, ["inferencepools"]),
                _rule(extension_group, ["inferenceobjectives", "inferencemodelrewrites"]),
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return kubernetes.rbac.v1.RoleBinding(
            f"{name}-role-binding",
            metadata=identity.metadata(),
            role_ref={
                "api_group": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": identity.name,
            },
            subjects=[
                {
                    "kind": "ServiceAccount",
                    "name": identity.name,
                    "namespace": identity.namespace,
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[role]),
        )


def picker_name(pool: str) -> str:
    """Return the name of a pool's picker: what the pool refers to before the picker is there."""
    return f"{pool}-epp"


def picker_config(
    *, lora: bool, flow_control: bool = False, scheduling: Scheduling | None = None
) -> str:
    """Return the EndpointPickerConfig document of a pool.

    Without flow control the picker queues nothing: it rejects requests of negative priority while
    the replicas are saturated, and treats all others alike. With it, requests wait in the picker
    and the highest priority goes first; release 1.5 calls that experimental.
    https://gateway-api-inference-extension.sigs.k8s.io/guides/flow-control
    """
    given = scheduling or {}
    weights = {
        **limits.SCORERS,
        **(limits.LORA_SCORERS if lora else {}),
        **given.get("scorers", {}),
    }
    scorers = {name: weight for name, weight in weights.items() if weight}
    further = {
        _PREFIXES: {
            "maxPrefixTokensToMatch": given.get("prefix_tokens"),
            "lruCapacityPerServer": given.get("prefix_blocks_per_replica"),
        },
        _SATURATION: {
            "queueDepthThreshold": given.get("saturated_queue"),
            "kvCacheUtilThreshold": _share(given.get("saturated_kv_cache_percent")),
        },
    }
    tuned = {
        plugin: {name: value for name, value in parameters.items() if value is not None}
        for plugin, parameters in further.items()
        if any(value is not None for value in parameters.values())
    }
    metrics = {"scheme": "http", "path": "/metrics", "insecureSkipVerify": True}
    config: dict[str, Any] = {
        "apiVersion": releases.CUSTOM_RESOURCES["EndpointPickerConfig"].api_version,
        "kind": "EndpointPickerConfig",
        **({"featureGates": [FLOW_CONTROL]} if flow_control else {}),
        "plugins": [
            *({"type": scorer} for scorer in scorers),
            {"type": "metrics-data-source", "parameters": metrics},
            {"type": "core-metrics-extractor"},
            *({"type": plugin, "parameters": parameters} for plugin, parameters in tuned.items()),
        ],
        **({"saturationDetector": {"pluginRef": _SATURATION}} if _SATURATION in tuned else {}),
        "schedulingProfiles": [
            {
                "name": "default",
                "plugins": [
                    {"pluginRef": scorer, "weight": weight} for scorer, weight in scorers.items()
                ],
            }
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _share(percent: int | None) -> float | None:
    return None if percent is None else percent / 100


def _rule(group: pulumi.Input[str], resources: Sequence[str]) -> PolicyRuleArgsDict:
    return {"api_groups": [group], "resources": list(resources), "verbs": list(READS)}


def _pod_spec(physical_name: str, args: EndpointPickerArgs) -> PodSpecArgsDict:
    flags = [
        f"--pool-name={args['pool']}",
        f"--pool-group={POOL_GROUP}",
        f"--config-file={CONFIG_DIRECTORY}/{CONFIG_FILE}",
        *pods.extension_flags(ports.ENDPOINT_PICKER, ports.ENDPOINT_PICKER_HEALTH, ports.METRICS),
        # The load balancer names the endpoints it had as a request came; of none it waits on:
        # https://github.com/kubernetes-sigs/gateway-api-inference-extension/issues/2117
        *(["--disable-endpoint-subset-filter=true"] if args.get("goes_to_zero", False) else []),
    ]
    return {
        "service_account_name": physical_name,
        # It watches the pods of its pool.
        "automount_service_account_token": True,
        "enable_service_links": False,
        "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
        "termination_grace_period_seconds": GRACE_PERIOD_SECONDS,
        "volumes": [{"name": "config", "config_map": {"name": physical_name}}],
        "containers": [
            {
                "name": "epp",
                "image": args.get("image", releases.ENDPOINT_PICKER_IMAGE),
                "args": flags,
                # The namespace of the pool, which the picker takes from its environment.
                "env": [
                    pods.field_variable("NAMESPACE", "metadata.namespace"),
                    pods.field_variable("POD_NAME", "metadata.name"),
                ],
                "ports": [
                    {"name": "grpc", "container_port": ports.ENDPOINT_PICKER},
                    {"name": "grpc-health", "container_port": ports.ENDPOINT_PICKER_HEALTH},
                    {"name": "metrics", "container_port": ports.METRICS},
                ],
                "startup_probe": pods.extension_startup_probe(ports.ENDPOINT_PICKER),
                # Until the pool is there it is not ready, and no restart would help.
                "liveness_probe": pods.tcp_probe(ports.ENDPOINT_PICKER_HEALTH, 10),
                "readiness_probe": pods.grpc_probe(ports.ENDPOINT_PICKER_HEALTH, 2, HEALTH_SERVICE),
                # No limit of CPU: scheduling comes in bursts. The prefix index grows with traffic.
                "resources": pods.resources({"cpu": "1", "memory": MEMORY}, {"memory": MEMORY}),
                "security_context": pods.container_security(read_only_root=True),
                "volume_mounts": [
                    {"name": "config", "mount_path": CONFIG_DIRECTORY, "read_only": True}
                ],
            }
        ],
    }


__all__ = ["EndpointPicker", "EndpointPickerArgs", "picker_config", "picker_name"]
