"""InferencePool: one replica set as a backend of the Gateway, with the picker that balances it.

Owns the pool, its endpoint picker and its load balancer policies. Does not own the replicas
(ModelServer), whose labels it selects.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog import ports, releases
from catalog.limits import Entries
from catalog.limits.images import IMAGE
from catalog.limits.names import PORT, RESOURCE_NAME
from components.inference.custom_resources import (
    BACKEND_POLICY,
    INFERENCE_OBJECTIVE,
    INFERENCE_POOL,
    Identity,
    custom_resource,
    http_health_check,
)
from components.inference.endpoint_picker import (
    EndpointPicker,
    EndpointPickerArgs,
    Scheduling,
    picker_name,
)
from components.inference.inference_crds import API_GROUP
from components.inference.vllm import HEALTH_PATH
from components.ready import after
from components.validation import component_type, register

ALL_REQUESTS = 1_000_000
"""Sample rate of the load balancer's log, in requests of a million."""
DRAIN_SECONDS = 60


class Pool(TypedDict):
    """What a Gateway needs to know about a pool."""

    name: Annotated[str, RESOURCE_NAME]
    """Name of the pool, for routes to refer to."""
    namespace: NotRequired[pulumi.Input[str]]
    """Kubernetes namespace of the replicas, that of the routes to it (default: the Gateway's)."""
    selector: Annotated[Mapping[str, str], Entries("the replicas' labels")]
    """Labels of the replicas: `ModelServer.pod_labels`."""
    target_port: Annotated[int, PORT]
    """Port of the replicas: `ModelServer.port`."""
    models: NotRequired[Sequence[str]]
    """`ModelServer.model_names`: routes of other names to this pool are then refused."""
    lora: NotRequired[bool]
    """The replicas serve LoRA adapters (default false)."""
    objectives: NotRequired[Mapping[str, int]]
    """Priorities by name; requests without one have 0. Negative: shed while saturated."""
    flow_control: NotRequired[bool]
    """Let requests wait in the picker, the highest priority first (default false: priorities
    above 0 then change nothing)."""
    goes_to_zero: NotRequired[bool]
    """There may be no replica: requests that wait may go to one that came later (default false)."""
    scheduling: NotRequired[Scheduling]
    """How its picker chooses, where that is not the default."""


class InferencePoolArgs(TypedDict):
    """Arguments of `InferencePool`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the replicas, unless the pool has its own."""
    pool: Pool
    """The pool."""
    request_timeout_seconds: int
    """Longest answer in seconds."""
    picker_image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image of the endpoint picker; default: the catalog's."""
    security_policy: NotRequired[pulumi.Input[str]]
    """Name of a Cloud Armor policy of the region (default none)."""
    extension_api_group: NotRequired[pulumi.Input[str]]
    """API group of InferenceObjective, from `InferenceCrds.api_group`."""


class InferencePool(pulumi.ComponentResource):
    """Makes an InferencePool, its endpoint picker, objectives, health check, timeout and log.

    A request chooses an objective of the pool by the header `x-gateway-inference-objective`, whose
    value is `objective_name` of it. The picker looks among the objectives of its own pool only: in
    another pool of the same model the name means nothing, and the request has priority 0.
    Source: https://gateway-api-inference-extension.sigs.k8s.io/reference/spec and
    https://cloud.google.com/kubernetes-engine/docs/how-to/deploy-gke-inference-gateway
    """

    pool_name: pulumi.Output[str]
    """Name of the pool."""

    def __init__(
        self,
        name: str,
        args: InferencePoolArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(InferencePool), name, {}, opts)
        pool = args["pool"]
        namespace = pool.get("namespace", args["namespace"])
        identity = Identity(pool["name"], namespace)
        target = INFERENCE_POOL.reference(pool["name"])
        child = pulumi.ResourceOptions(parent=self)

        # The picker is named, not awaited: it becomes ready only once it has read the pool.
        resource = custom_resource(
            f"{name}-pool",
            INFERENCE_POOL,
            identity,
            {
                "selector": {"matchLabels": dict(pool["selector"])},
                "targetPorts": [{"number": pool["target_port"]}],
                "endpointPickerRef": {
                    "group": "",
                    "kind": "Service",
                    "name": picker_name(pool["name"]),
                    "port": {"number": ports.ENDPOINT_PICKER},
                    # Without a picker any replica answers.
                    "failureMode": "FailOpen",
                },
            },
            child,
        )
        http_health_check(
            f"{name}-health-check", identity, target, HEALTH_PATH, pool["target_port"], child
        )
        custom_resource(
            f"{name}-backend-policy",
            BACKEND_POLICY,
            identity,
            {
                "targetRef": target,
                "default": {
                    "timeoutSec": args["request_timeout_seconds"],
                    "connectionDraining": {"drainingTimeoutSec": DRAIN_SECONDS},
                    "logging": {"enabled": True, "sampleRate": ALL_REQUESTS},
                    **(
                        {"securityPolicy": args["security_policy"]}
                        if "security_policy" in args
                        else {}
                    ),
                },
            },
            child,
        )
        self._objectives(name, args)
        picker: EndpointPickerArgs = {
            "namespace": namespace,
            "pool": pool["name"],
            "lora": pool.get("lora", False),
            "flow_control": pool.get("flow_control", False),
            "goes_to_zero": pool.get("goes_to_zero", False),
            "image": args.get("picker_image", releases.ENDPOINT_PICKER_IMAGE),
            "extension_api_group": args.get("extension_api_group", API_GROUP),
        }
        if "scheduling" in pool:
            picker["scheduling"] = pool["scheduling"]
        EndpointPicker(f"{name}-picker", picker, child)
        self.pool_name = after(pool["name"], resource.id)
        register(self)

    def _objectives(self, name: str, args: InferencePoolArgs) -> None:
        pool = args["pool"]
        # The definition comes first: its group is known once it is installed.
        namespace = after(
            pool.get("namespace", args["namespace"]), args.get("extension_api_group", API_GROUP)
        )
        for objective, priority in pool.get("objectives", {}).items():
            custom_resource(
                f"{name}-{objective}-objective",
                INFERENCE_OBJECTIVE,
                Identity(objective_name(pool["name"], objective), namespace),
                {"poolRef": INFERENCE_POOL.reference(pool["name"]), "priority": priority},
                pulumi.ResourceOptions(parent=self),
            )


def objective_name(pool: str, objective: str) -> str:
    """Return the name of an objective of a pool: what clients send to choose it."""
    return f"{pool}-{objective}"


__all__ = ["InferencePool", "InferencePoolArgs", "Pool", "objective_name"]
