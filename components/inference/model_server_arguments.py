"""Arguments of ModelServer, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import TolerationArgsDict

from components.checks import check_between
from components.inference import vllm
from components.names import LABEL_LENGTH, dns_label
from components.validation import Problems

LONGEST_SECONDS = 24 * 3600


class ReplicaGuardrail(TypedDict):
    """A guardrail in each replica's pod, which takes the requests and asks the model itself."""

    image: pulumi.Input[str]
    """Container image of a proxy that runs as any user. It forwards every path, /health and
    /metrics included, to the address in its variable UPSTREAM_URL."""
    port: int
    """Port it listens on: 1024 to 65535, not the model server's 8000."""
    cpu: NotRequired[str]
    """CPU (default 1)."""
    memory: NotRequired[str]
    """Memory (default 2Gi)."""
    environment: NotRequired[Mapping[str, str]]
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
    source: str
    """Hugging Face repository, or `gs://bucket/path` of the model's files."""
    image: pulumi.Input[str]
    """vLLM container image; one with the user `vllm` (2000), as vllm-openai 0.26 has."""
    node_selector: Mapping[str, str]
    """Node labels, such as `{"cloud.google.com/gke-nodepool": "l4-spot"}`."""
    gpus: NotRequired[int]
    """GPUs of one replica (tensor parallelism, default 1)."""
    nodes: NotRequired[int]
    """Nodes of one replica (default 1), each with `gpus`: the model's layers are split between
    them. More than one needs LeaderWorkerSets in the cluster, and no `max_replicas`."""
    leader_worker_set_api: NotRequired[pulumi.Input[str]]
    """`LeaderWorkerSets.api_version`, so that the replicas wait for it. Needed with `nodes`."""
    rdma: NotRequired[bool]
    """Whether a replica's nodes talk over all RDMA interfaces of each (default false). Needs
    `GpuNodePool.rdma`. Not tried on hardware: NCCL may ask for Google's gIB plugin beside it."""
    replicas: NotRequired[int]
    """Replicas (default 1)."""
    max_replicas: NotRequired[int]
    """Replicas when requests queue up; `replicas` is then the least (default: the number stays).
    Needs a MetricsAdapter in the cluster."""
    queue_per_replica: NotRequired[int]
    """Waiting requests of a replica from which on an autoscaler adds more (default 5)."""
    cpu: NotRequired[str]
    """CPU of one replica (default 4 for each GPU)."""
    memory: NotRequired[str]
    """Memory of one replica (default 16Gi for each GPU)."""
    tolerations: NotRequired[Sequence[TolerationArgsDict]]
    """Tolerations of node taints other than GKE's own GPU taint."""
    max_context: NotRequired[int]
    """Longest prompt and answer together, in tokens (default: the model's own)."""
    adapters: NotRequired[Sequence[vllm.Adapter]]
    """LoRA adapters, each served under its own model name."""
    max_lora_rank: NotRequired[int]
    """Highest rank among the adapters (default 64)."""
    gated: NotRequired[bool]
    """The source needs a Hugging Face token (default false)."""
    hugging_face_secret: NotRequired[pulumi.Input[str]]
    """Secret Manager secret id holding the token, in this project. Needed when gated."""
    server_args: NotRequired[Mapping[str, Any]]
    """Further vLLM flags by name: `{"gpu-memory-utilization": 0.9}`; booleans are switches."""
    startup_timeout_seconds: NotRequired[int]
    """Time to download and load the model before a restart (default 1800)."""
    drain_seconds: NotRequired[int]
    """Time a stopping replica goes on answering (default 60)."""
    wait_for_ready: NotRequired[bool]
    """Wait until the replicas are ready (default false: GPUs out of stock are no failed update)."""
    guardrail: NotRequired[ReplicaGuardrail]
    """A guardrail in front of the model in every replica (default none)."""
    labels: NotRequired[Mapping[str, str]]
    """Kubernetes labels."""


def validate_model_server(name: str, args: ModelServerArgs) -> Problems:
    """Check the plain arguments of a `ModelServer`."""
    problems = Problems()
    length = len(dns_label(name))
    if not 0 < length <= LABEL_LENGTH:
        problems.add(
            "name",
            f"found {name!r}, which makes a Kubernetes name of {length} characters; allowed: 1 to "
            f"{LABEL_LENGTH}; shorten it",
        )
    problems.check_not_empty("node_selector", args["node_selector"], "a node label")
    if not args["model"].strip():
        problems.add("model", "found none, allowed: a name; give the model name clients send")
    check_between(problems, "gpus", args.get("gpus", 1), 1, vllm.MOST_GPUS, "GPUs of a node")
    check_between(problems, "replicas", args.get("replicas", 1), 1, 1000)
    check_between(problems, "nodes", args.get("nodes", 1), 1, vllm.MOST_NODES, "nodes")
    _check_nodes(problems, args)
    least = args.get("replicas", 1)
    check_between(problems, "max_replicas", args.get("max_replicas", least), least, 1000)
    check_between(problems, "queue_per_replica", args.get("queue_per_replica", 1), 1, 1000)
    check_between(problems, "max_context", args.get("max_context", 1), 1, 100_000_000, "tokens")
    for field in ("startup_timeout_seconds", "drain_seconds"):
        check_between(problems, field, args.get(field, 1), 1, LONGEST_SECONDS, "seconds")
    if "guardrail" in args:
        port = args["guardrail"]["port"]
        check_between(problems, "guardrail.port", port, 1024, 65535)
        if port == vllm.PORT:
            problems.add(
                "guardrail.port", f"found {port}, which the model server has; give another"
            )
    _check_source(problems, args)
    _check_adapters(problems, args)
    for flag in vllm.own_flags_in(args.get("server_args", {})):
        problems.add(
            f"server_args.{flag}",
            f"found {flag!r}, allowed: flags no other argument sets; "
            "use the argument of ModelServer that sets it",
        )
    return problems


def _check_nodes(problems: Problems, args: ModelServerArgs) -> None:
    several = args.get("nodes", 1) > 1
    if several and "guardrail" in args:
        problems.add(
            "guardrail", "found one, allowed: none with several nodes; put it at the gateway"
        )
    if several and "max_replicas" in args:
        problems.add(
            "max_replicas",
            f"found {args['max_replicas']}, allowed: nothing with several nodes; remove it",
        )
    if several and "leader_worker_set_api" not in args:
        problems.add(
            "leader_worker_set_api",
            "found none, allowed: LeaderWorkerSets.api_version with several nodes; give it",
        )
    if args.get("rdma", False) and not several:
        problems.add("rdma", "found true, allowed: false with one node; remove it")


def _check_source(problems: Problems, args: ModelServerArgs) -> None:
    source = args["source"]
    if source.startswith("gs://"):
        if not bucket_of(source):
            problems.add("source", f"found {source!r}, allowed: gs://bucket/path; give a bucket")
    elif source.count("/") != 1 or not all(source.split("/")):
        problems.add(
            "source",
            f"found {source!r}, allowed: a Hugging Face repository (owner/name) or "
            "gs://bucket/path; give one of them",
        )
    if args.get("gated", False) and "hugging_face_secret" not in args:
        problems.add(
            "hugging_face_secret",
            f"found none, but gated is true: {source!r} cannot be downloaded without a token; give "
            "the id of the Secret Manager secret that holds it",
        )


def _check_adapters(problems: Problems, args: ModelServerArgs) -> None:
    seen = {args["model"]}
    for index, adapter in enumerate(adapters_of(args)):
        path = f"adapters[{index}]"
        if adapter["name"] in seen:
            problems.add(
                f"{path}.name",
                f"found {adapter['name']!r} again, allowed: a name of its own; rename the adapter",
            )
        seen.add(adapter["name"])
        if adapter["source"].startswith("gs://"):
            problems.add(
                f"{path}.source",
                f"found {adapter['source']!r}, allowed: a Hugging Face repository; vLLM loads no "
                "adapter from Cloud Storage",
            )
    rank = args.get("max_lora_rank", vllm.DEFAULT_MAX_LORA_RANK)
    if rank not in vllm.MAX_LORA_RANKS:
        allowed = ", ".join(map(str, vllm.MAX_LORA_RANKS))
        problems.add(
            "max_lora_rank",
            f"found {rank}, allowed: {allowed}; give the lowest that is not below any adapter's",
        )


def adapters_of(args: ModelServerArgs) -> Sequence[vllm.Adapter]:
    """Gives the adapters, none where none are given."""
    return args.get("adapters", ())


def bucket_of(source: str) -> str:
    """Gives the bucket of a `gs://` source, else nothing."""
    return source.removeprefix("gs://").partition("/")[0] if source.startswith("gs://") else ""
