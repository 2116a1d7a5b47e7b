"""Arguments of ModelServer, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import TolerationArgsDict

from catalog import ports
from catalog.limits import Entries
from catalog.limits import inference as limits
from catalog.limits.images import IMAGE
from catalog.limits.names import KUBERNETES_NAME
from components.inference import vllm
from components.names import dns_label
from components.validation import Problems


class ReplicaGuardrail(TypedDict):
    """A guardrail in each replica's pod, which takes the requests and asks the model itself."""

    image: Annotated[pulumi.Input[str], IMAGE]
    """Container image of a proxy that runs as any user. It forwards every path, /health and
    /metrics included, to the address in its variable UPSTREAM_URL."""
    port: Annotated[int, limits.UNPRIVILEGED_PORT]
    """Port it listens on, not the model server's 8000."""
    cpu: NotRequired[Annotated[str, limits.CPU]]
    """CPU."""
    memory: NotRequired[Annotated[str, limits.MEMORY]]
    """Memory."""
    environment: NotRequired[Mapping[Annotated[str, limits.VARIABLE], str]]
    """Further environment variables. No secrets: they would be in the manifest."""


class ModelServerArgs(TypedDict):
    """Arguments of `ModelServer`."""

    project: pulumi.Input[str]
    """Project id."""
    project_number: pulumi.Input[str]
    """Project number, of the project that owns the workload pool."""
    workload_pool: pulumi.Input[str]
    """Workload identity pool of the cluster: `PROJECT_ID.svc.id.goog`."""
    namespace: pulumi.Input[str]
    """Kubernetes namespace."""
    model: str
    """Model name clients send."""
    source: Annotated[str, limits.SOURCE]
    """Hugging Face repository, or `gs://bucket/path` of the model's files."""
    image: Annotated[pulumi.Input[str], IMAGE]
    """vLLM container image; one with the user `vllm` (2000), as vllm-openai 0.26 has."""
    node_selector: Annotated[Mapping[str, str], Entries("a node label")]
    """Node labels, such as `{"cloud.google.com/gke-nodepool": "l4-spot"}`."""
    gpus: NotRequired[Annotated[int, limits.GPUS]]
    """GPUs of one replica (tensor parallelism)."""
    team: NotRequired[Annotated[str | None, limits.TEAM]]
    """Whose model it is: the label `team` of the pods, by which GKE divides the bill."""
    tpu: NotRequired[bool]
    """Whether the nodes have TPUs, of which `gpus` counts chips (default false): `image` is vLLM's
    for TPUs, and a replica of several nodes is one slice, which works with Ray."""
    memory_gib_per_gpu: NotRequired[Annotated[int, limits.MEMORY_GIB_PER_GPU]]
    """Memory of the node for each of a replica's GPUs. Weights pass through it on their way to
    TPUs, which need a little more than they hold."""
    partitions: NotRequired[Annotated[int, limits.PARTITIONS]]
    """How many pods share each GPU of the nodes, by its partitions: a replica asks for as much less
    CPU, memory and disk. Needs gpus: 1."""
    nodes: NotRequired[Annotated[int, limits.NODES]]
    """Nodes of one replica, each with `gpus`: the model's layers are split between
    them. More than one needs LeaderWorkerSets in the cluster, and no `max_replicas`."""
    leader_worker_set_api: NotRequired[pulumi.Input[str]]
    """`LeaderWorkerSets.api_version`, so that the replicas wait for it. Needed with `nodes`."""
    rdma: NotRequired[bool]
    """Whether a replica's nodes talk over all RDMA interfaces of each (default false). Needs
    `GpuNodePool.rdma`. Not tried on hardware: NCCL may ask for Google's gIB plugin beside it."""
    replicas: NotRequired[Annotated[int, limits.LEAST_REPLICAS]]
    """Replicas; 0 is none while nobody asks, with `max_replicas` and `asked_by`."""
    max_replicas: NotRequired[Annotated[int | None, limits.REPLICAS]]
    """Replicas when requests queue up; `replicas` is then the least (default: the number stays).
    Needs a MetricsAdapter in the cluster."""
    queue_per_replica: NotRequired[Annotated[int | None, limits.QUEUE_PER_REPLICA]]
    """Waiting requests of a replica from which on an autoscaler adds more."""
    running_per_replica: NotRequired[Annotated[int | None, limits.RUNNING_PER_REPLICA]]
    """Requests that a replica works on from which on it adds more (default: they don't count)."""
    kv_cache_percent: NotRequired[Annotated[int | None, limits.KV_CACHE_PERCENT]]
    """Use of the KV cache from which on it adds more (default: it doesn't count)."""
    scale_down_seconds: NotRequired[Annotated[int | None, limits.SCALE_DOWN_SECONDS]]
    """Seconds for which fewer must be enough before it removes one."""
    asked_by: NotRequired[Mapping[str, Mapping[str, pulumi.Input[str]]]]
    """Metrics (keys of the catalog) above 0 while somebody asks the model, with the labels of their
    time series as the metrics adapter takes them. Needed with `replicas` 0, and an adapter that
    serves external metrics."""
    tolerations: NotRequired[Sequence[TolerationArgsDict]]
    """Tolerations of node taints other than GKE's own GPU taint."""
    max_context: NotRequired[Annotated[int | None, limits.MAX_CONTEXT]]
    """Longest prompt and answer together, in tokens (default: the model's own)."""
    adapters: NotRequired[Sequence[vllm.Adapter]]
    """LoRA adapters, each served under its own model name."""
    max_lora_rank: NotRequired[Annotated[int, limits.MAX_LORA_RANK]]
    """Highest rank among the adapters."""
    gated: NotRequired[bool]
    """The source needs a Hugging Face token (default false)."""
    hugging_face_secret: NotRequired[pulumi.Input[str]]
    """Secret Manager secret id holding the token, in this project. Needed when gated."""
    server_args: NotRequired[Mapping[str, Any]]
    """Further vLLM flags by name: `{"gpu-memory-utilization": 0.9}`; booleans are switches."""
    environment: NotRequired[Mapping[Annotated[str, limits.SERVER_VARIABLE], str]]
    """Environment variables of the server. No secrets: they would be in the manifest."""
    startup_timeout_seconds: NotRequired[Annotated[int, limits.STARTUP_TIMEOUT_SECONDS]]
    """Time to download and load the model before a restart."""
    drain_seconds: NotRequired[Annotated[int, limits.DRAIN_SECONDS]]
    """Time a stopping replica goes on answering."""
    replica_guardrail: NotRequired[ReplicaGuardrail]
    """A guardrail in front of the model in every replica (default none)."""


def validate_model_server(name: str, args: ModelServerArgs) -> Problems:
    """Check the plain arguments of a `ModelServer`."""
    problems = Problems.of(ModelServerArgs, args)
    problems.check_limit(KUBERNETES_NAME, dns_label(name), "name")
    problems.extend(limits.replicas(args))
    if args.get("replicas") == 0 and not args.get("asked_by"):
        problems.add("asked_by", "found none, with replicas 0; give what tells that it is asked")
    problems.extend(limits.server_args(args.get("server_args", {})), "server_args")
    if args.get("tpu", False):
        problems.extend(limits.tpu_args(args.get("server_args", {})), "server_args")
    if not args["model"].strip():
        problems.add("model", "found none; allowed: a name; give the model name clients send")
    if "replica_guardrail" in args and args["replica_guardrail"]["port"] == ports.MODEL_SERVER:
        problems.add(
            "replica_guardrail.port",
            f"found {ports.MODEL_SERVER}, which the model server has; give another",
        )
    if args.get("gated", False) and "hugging_face_secret" not in args:
        problems.add(
            "hugging_face_secret",
            f"found none, but gated is true: {args['source']!r} cannot be downloaded without a "
            "token; give the id of the Secret Manager secret that holds it",
        )
    _check_nodes(problems, args)
    seen = {args["model"]}
    for index, adapter in enumerate(adapters_of(args)):
        if adapter["name"] in seen:
            problems.add(
                f"adapters[{index}].name",
                f"found {adapter['name']!r} again; allowed: a name of its own; rename the adapter",
            )
        seen.add(adapter["name"])
    return problems


def _check_nodes(problems: Problems, args: ModelServerArgs) -> None:
    several = args.get("nodes", limits.NODES.default) > 1
    if several and "replica_guardrail" in args:
        problems.add(
            "replica_guardrail",
            "found one; allowed: none with several nodes; put it at the gateway",
        )
    if several and "leader_worker_set_api" not in args:
        problems.add(
            "leader_worker_set_api",
            "found none; allowed: LeaderWorkerSets.api_version with several nodes; give it",
        )
    if args.get("rdma", False) and not several:
        problems.add("rdma", "found true; allowed: false with one node; remove it")


def adapters_of(args: ModelServerArgs) -> Sequence[vllm.Adapter]:
    """Return the adapters, none where none are given."""
    return args.get("adapters", ())


def bucket_of(source: str) -> str:
    """Return the bucket of a `gs://` source, else nothing."""
    return source.removeprefix("gs://").partition("/")[0] if source.startswith("gs://") else ""
