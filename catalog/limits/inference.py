"""Limits of models, their servers, and what stands before them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from catalog import ports
from catalog.limits import Choice, Entries, Range, Text, label
from catalog.problems import Problem, in_order, shown

_REPOSITORY: Final = "[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*"
SOURCE: Final = Text(
    rf"{_REPOSITORY}|gs://[a-z0-9][a-z0-9._-]{{1,61}}[a-z0-9]/\S+",
    "a Hugging Face repository (owner/name) or a Cloud Storage folder (gs://bucket/path)",
    "write it like Qwen/Qwen3-4B",
)
ADAPTER_SOURCE: Final = Text(
    _REPOSITORY,
    "a Hugging Face repository (owner/name)",
    "move it there: vLLM loads no adapter from Cloud Storage",
)
MODEL_NAME: Final = Text(
    "[A-Za-z](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?",
    "1 to 63 letters, digits, dots, slashes, underscores or hyphens, a letter first, a letter or"
    " digit last (objects of Kubernetes are named after it)",
    "choose the name clients shall send as `model`",
)
ADAPTER_NAME: Final = Text(
    "[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?",
    "1 to 63 letters, digits, dots, slashes, underscores or hyphens, a letter or digit at both"
    " ends",
    "choose the name clients shall send as `model`",
)
OBJECTIVE_NAME: Final = label(15, "it becomes part of a Kubernetes name")
TEAM: Final = label(30, "it becomes a label and part of a namespace's name")
TEAM_MEMBER: Final = Text(
    r"(?:user|group|serviceAccount):[^\s:@*]+@[a-z0-9.-]+",
    "user:, group: or serviceAccount: with an e-mail address",
    "write it like group:search@acme.com",
)
TEAM_DEVICES: Final = Range(0, 10_000, default=0)
TEAM_PODS: Final = Range(1, 10_000, "pods", default=100)
TEAM_MEMORY_GIB: Final = Range(1, 1_000_000, "GiB")
BACKEND_NAME: Final = label(23, "it becomes part of Kubernetes names")
FLAG_NAME: Final = Text(
    "[a-z][a-z0-9-]*", "a vLLM option without its dashes", "write it like max-num-seqs"
)

PRIORITY: Final = Range(-1000, 1000)
MEMORY_GIB: Final = Range(1.0, 100_000, "GiB")
REPLICAS: Final = Range(1, 1000, default=1)
LEAST_REPLICAS: Final = Range(0, 1000, default=1)
"""With max_replicas; none while nobody asks."""
QUEUE_PER_REPLICA: Final = Range(1, 1000, "waiting requests", default=5)
RUNNING_PER_REPLICA: Final = Range(1, 10_000, "running requests")
KV_CACHE_PERCENT: Final = Range(1, 99, "percent")
SCALE_DOWN_SECONDS: Final = Range(0, 3600, "seconds", default=600)
"""https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/#stabilization-window"""
SCALING: Final = (
    "queue_per_replica",
    "running_per_replica",
    "kv_cache_percent",
    "scale_down_seconds",
)
"""What says when replicas are added and removed."""
GPUS: Final = Choice((1, 2, 4, 8), default=1)
PICKER_MEMORY_GIB: Final = 2
PROXY_MEMORY_MIB: Final = 256
MEMORY_GIB_PER_GPU: Final = Range(8, 256, "GiB", default=16)
LEAST_MEMORY_GIB: Final = 8
"""What vLLM itself takes of a node's memory, whatever the model."""
PARTITIONS: Final = Range(1, 7, "pods", default=1)
NODES: Final = Range(1, 8, "nodes", default=1)
WEIGHT: Final = Range(0, 100, "percent", default=100)
MAX_CONTEXT: Final = Range(128, 100_000_000, "tokens")
MAX_LORA_RANK: Final = Choice(
    (8, 16, 32, 64, 128, 256, 320, 512),
    default=64,
    remedy="give the lowest that is not below any adapter's",
)
# What one rule of an HTTPRoute holds, by the definition of its kind.
ROUTE_MODELS: Final = Entries("a model name", high=64)
ROUTE_BACKENDS: Final = Entries("a pool", high=16)
LORA_SLOTS: Final = 4
"""Adapters held in GPU memory at once; the rest wait in CPU memory."""
STARTUP_TIMEOUT_SECONDS: Final = Range(1, 86400, "seconds", default=1800)
DRAIN_SECONDS: Final = Range(1, 86400, "seconds", default=60)

REQUEST_TIMEOUT_SECONDS: Final = Range(1, 86400, "seconds", default=300)
EXTENSION_TIMEOUT_SECONDS: Final = Range(0.1, 10, "seconds", default=10)
"""The longest a load balancer waits: each wait that ends early fails a request. It takes 0.01 as
well, within which nothing is judged."""

UNPRIVILEGED_PORT: Final = Range(1024, 65535)
CALLOUT_REPLICAS: Final = Range(1, 100, default=2)
CPU: Final = Text(
    "[1-9][0-9]{0,3}m|[1-9][0-9]?", "an amount of CPU", "write it like 500m", default="500m"
)
MEMORY: Final = Text(
    "[1-9][0-9]{0,5}(?:Mi|Gi)", "an amount of memory", "write it like 2Gi", default="1Gi"
)
VARIABLE: Final = Text(
    "[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", "write it like MODE"
)

# Not what the pod sets itself, what would stand in the manifest in clear, and what changes who may
# ask or what is loaded.
SERVER_VARIABLE: Final = Text(
    r"(?!(?:HOME|USER|PATH|HF_HOME|HF_TOKEN_PATH|XDG_CACHE_HOME|VLLM_ALLOW_RUNTIME_LORA_UPDATING"
    r"|VLLM_ALLOW_INSECURE_SERIALIZATION|VLLM_SERVER_DEV_MODE|VLLM_PLUGINS|JAX_PLATFORMS"
    r"|TPU_MULTIHOST_BACKEND)$|LD_|PYTHON|LWS_)(?![A-Z0-9_]*(?:TOKEN|KEY|SECRET|PASSWORD)$)"
    r"[A-Za-z_][A-Za-z0-9_]*",
    "the name of an environment variable that the pod does not set (HOME, HF_HOME...), that loads"
    " no code (PYTHONPATH, LD_..., VLLM_PLUGINS), opens no other way in, and is no secret",
    "leave it out: options are server_args, secrets stand in clear here",
)
"""https://docs.vllm.ai/en/stable/configuration/env_vars"""
SCORER: Final = Choice(
    (
        "queue-scorer",
        "kv-cache-utilization-scorer",
        "prefix-cache-scorer",
        "running-requests-size-scorer",
        "lora-affinity-scorer",
    )
)
SCORER_WEIGHT: Final = Range(0, 100)
SATURATED_QUEUE: Final = Range(1, 10_000, "waiting requests", default=5)
SATURATED_KV_CACHE: Final = Range(1, 100, "percent", default=80)
PREFIX_TOKENS: Final = Range(64, 10_000_000, "tokens")
PREFIX_BLOCKS: Final = Range(1, 10_000_000, "blocks")


def scorers(given: Mapping[str, int], *, lora: bool) -> Iterator[Problem]:
    """Yield weights of a picker's scorers by which it could not choose."""
    if given and not any({**SCORERS, **given}.values()):
        yield Problem((), "no weight above 0", "one scorer or more", "raise a weight")
    if given.get("lora-affinity-scorer") and not lora:
        yield Problem(
            ("lora-affinity-scorer",),
            "a weight for a model without adapters",
            "adapters, or no weight",
            "remove it",
        )


SCORERS: Final[Mapping[str, int]] = {
    "queue-scorer": 2,
    "kv-cache-utilization-scorer": 2,
    "prefix-cache-scorer": 3,
}
"""Weights of the scorers every pool has: the defaults of the inferencepool chart, release 1.5."""
LORA_SCORERS: Final[Mapping[str, int]] = {"lora-affinity-scorer": 1}
"""Further scorers of a pool with adapters: prefer a replica that has the adapter loaded."""


def callout_replicas(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a most that is below the least."""
    most = given.get("max_replicas")
    if most is not None:
        least = given.get("replicas") or CALLOUT_REPLICAS.default
        yield from in_order(replicas=least, max_replicas=most)


OPENAPI: Final = "openapi"
"""The endpoint of Vertex AI's own and its partners' models, which needs no deployment."""
ENDPOINT: Final = Text(
    f"{OPENAPI}|[0-9]{{1,20}}",
    f"'{OPENAPI}' or an endpoint's id in digits, in quotes",
    "`gcloud ai endpoints list` shows the ids",
    default=OPENAPI,
)
HTTPS_PORT: Final = Range(1, 65535, default=443)
HTTPS_PATH: Final = Text(
    "(?:/[A-Za-z0-9._~-]+)+",
    "an absolute path without a slash at the end",
    "write it like /v1",
    default="/v1",
)

OWN_FLAGS: Final[Mapping[str, str]] = {
    "model": "source",
    "served-model-name": "the model's name",
    "tensor-parallel-size": "gpus of the replicas",
    "max-model-len": "max_context",
    "max-lora-rank": "max_lora_rank",
    **dict.fromkeys(("enable-lora", "lora-modules", "max-loras", "max-cpu-loras"), "adapters"),
    **dict.fromkeys(
        (
            "pipeline-parallel-size",
            "nnodes",
            "node-rank",
            "master-addr",
            "master-port",
            "headless",
            "distributed-executor-backend",
        ),
        "nodes of the replicas",
    ),
    "load-format": "source: gs:// has a loader of its own",
    "host": "nothing: the gateway expects 0.0.0.0",
    **dict.fromkeys(
        ("port", "data-parallel-multi-port-external-lb"),
        f"nothing: the gateway expects {ports.MODEL_SERVER}",
    ),
}
"""vLLM options the platform sets itself, and what to give instead."""


def replica_memory_gib(gpus: int, partitions: int, memory_gib_per_gpu: int) -> int:
    """Return the memory of a replica's pod on one node, in GiB."""
    return max(memory_gib_per_gpu * gpus // partitions, LEAST_MEMORY_GIB)


def flag(name: str) -> str:
    """Return the name of a vLLM option as its documentation has it."""
    return name.removeprefix("--").replace("_", "-")


BESIDE: Final[Mapping[str, str]] = {
    "enable-auto-tool-choice": "tool-call-parser",
    "enable-log-outputs": "enable-log-requests",
}
"""vLLM options that it takes beside another alone:
https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/entrypoints/openai/cli_args.py"""


def server_args(given: Mapping[str, object]) -> Iterator[Problem]:
    """Yield the vLLM options that the platform sets itself, and those that lack another."""
    on = {flag(name) for name, value in given.items() if value is not False}
    for name in sorted(given):
        needed = BESIDE.get(flag(name))
        if needed is not None and flag(name) in on and needed not in on:
            yield Problem(
                (name,), shown(given[name]), f"beside {needed}", f"add {needed}, or remove it"
            )
        if (instead := OWN_FLAGS.get(flag(name))) is not None:
            yield Problem(
                (name,),
                "an option the platform sets",
                "other options of vLLM",
                f"remove it and use {instead}",
            )


NOT_ON_TPUS: Final[Mapping[str, str]] = {
    "attention-backend": "they have one attention",
    "cpu-offload-gb": "their host pins no memory",
    **dict.fromkeys(
        (
            "cudagraph-capture-sizes",
            "cudagraph-metrics",
            "disable-custom-all-reduce",
            "disable-nccl-for-dp-synchronization",
            "enable-cumem-allocator",
            "enable-flashinfer-autotune",
            "enable-sleep-mode",
            "max-cudagraph-capture-size",
            "ray-workers-use-nsight",
        ),
        "it is of CUDA",
    ),
}
"""Options of vLLM that TPUs do not have, and why:
https://github.com/vllm-project/tpu-inference/blob/v0.26.0/tpu_inference/platforms/tpu_platform.py"""


def tpu_args(given: Iterable[str]) -> Iterator[Problem]:
    """Yield the vLLM options that TPUs do not have."""
    for name in sorted(given):
        if (why := NOT_ON_TPUS.get(flag(name))) is not None:
            yield Problem(
                (name,),
                f"an option that vLLM has not on TPUs: {why}",
                "other options of vLLM",
                "remove it",
            )


def replicas(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit together in the numbers of replicas."""
    least, most = given.get("replicas", REPLICAS.default), given.get("max_replicas")
    if least == 0 and most is None:
        yield Problem(
            ("replicas",),
            "0",
            "1 or more without max_replicas: nothing would ever make the first",
            "raise it or add max_replicas",
        )
    if most is not None and REPLICAS.low <= most < least:
        yield Problem(
            ("max_replicas",),
            shown(most),
            f"at least replicas, {least}",
            "raise it or lower replicas",
        )
    for key in SCALING if most is None else ():
        if given.get(key) is None:
            continue
        yield Problem(
            (key,),
            shown(given[key]),
            "nothing without max_replicas: the number of replicas stays",
            "remove it or add max_replicas",
        )
    if most is not None and given.get("nodes", NODES.default) > 1:
        yield Problem(
            ("max_replicas",),
            shown(most),
            "nothing with several nodes",
            "remove it: the number of such replicas stays",
        )


def objectives(given: Mapping[str, int], *, flow_control: bool) -> Iterator[Problem]:
    """Yield priorities that nothing keeps."""
    for name, priority in given.items():
        if priority > 0 and not flow_control:
            yield Problem(
                (name,),
                shown(priority),
                "0 or less without flow_control: nothing else lets one request go before another",
                "set flow_control: true of the model or lower it",
            )
