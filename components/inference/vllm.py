"""The command line of vLLM's OpenAI-compatible server.

Source: https://docs.vllm.ai/en/stable/cli/serve and https://docs.vllm.ai/en/stable/features/lora
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypedDict

from catalog import ports
from catalog.limits.inference import ADAPTER_SOURCE, LORA_SLOTS, flag

HEALTH_PATH = "/health"
ALIVE_PATH = "/version"
"""Answered by the server alone, without the engine."""
COMMAND = ("python3", "-m", "vllm.entrypoints.openai.api_server")
MULTI_NODE_COMMAND = ("vllm", "serve")
"""The command line that knows replicas of several nodes; it takes the model without a flag."""
_RAY_PORT = 6379
SLICE_LEADER_COMMAND = (
    "sh",
    "-c",
    f'ray start --head --port={_RAY_PORT} --disable-usage-stats && exec vllm serve "$@"',
    "leader",
)
# A worker that ended because the leader isn't there yet would end the whole replica.
_JOIN = (
    f'head="$LWS_LEADER_ADDRESS:{_RAY_PORT}";'
    ' until ray health-check --address "$head"; do sleep 5; done;'
    ' exec ray start --address "$head" --block --disable-usage-stats'
)
SLICE_WORKER_COMMAND = ("sh", "-c", _JOIN)
"""On the nodes of a slice of TPUs, which vLLM drives with Ray."""
SLICE_ENVIRONMENT = {"TPU_MULTIHOST_BACKEND": "ray", "JAX_PLATFORMS": ""}


class Adapter(TypedDict):
    """A LoRA adapter served beside its base model."""

    name: str
    """Model name clients send for this adapter."""
    source: Annotated[str, ADAPTER_SOURCE]
    """Hugging Face repository."""


def arguments(
    *,
    model: str,
    source: str,
    gpus: int,
    max_context: int | None,
    adapters: Sequence[Adapter],
    max_lora_rank: int,
    server_args: Mapping[str, Any],
) -> list[str]:
    """Return the arguments of the server, the same list for the same input."""
    flags: dict[str, Any] = {
        "model": source,
        "served-model-name": model,
        "port": ports.MODEL_SERVER,
        "tensor-parallel-size": gpus,
    }
    if source.startswith("gs://"):
        # The streamer is the loader that reads Cloud Storage without a copy on disk.
        flags["load-format"] = "runai_streamer"
    if max_context is not None:
        flags["max-model-len"] = max_context
    if adapters:
        flags["enable-lora"] = True
        flags["max-loras"] = min(len(adapters), LORA_SLOTS)
        flags["max-cpu-loras"] = len(adapters)
        flags["max-lora-rank"] = max_lora_rank
    flags |= {flag(name): value for name, value in sorted(server_args.items())}
    given = [argument(name, value) for name, value in flags.items()]
    if adapters:
        given += ["--lora-modules", *(_lora_module(adapter, model) for adapter in adapters)]
    return given


def slice_arguments(given: Sequence[str]) -> list[str]:
    """Return the arguments of the leader of a replica that spans the nodes of a slice of TPUs.

    `given` are those of a replica on one node; workers have none.
    Source: https://github.com/vllm-project/tpu-inference/blob/v0.26.0/scripts/multihost/run_cluster.sh
    """
    return _spanning(given, ["--distributed-executor-backend=ray"])


def multi_node_arguments(given: Sequence[str], nodes: int, *, leader: bool) -> list[str]:
    """Return the arguments of the leader or of a worker of a replica that spans nodes.

    `given` are those of a replica on one node. The model's layers are split between the nodes, each
    layer between the GPUs of its node: `nodes` times less traffic between nodes than GPUs would
    need. The variables come from LeaderWorkerSet.
    Source: https://github.com/vllm-project/vllm/pull/23691
    """
    split = [
        f"--pipeline-parallel-size={nodes}",
        "--distributed-executor-backend=mp",
        f"--nnodes={nodes}",
        f"--node-rank={'0' if leader else '$(LWS_WORKER_INDEX)'}",
        "--master-addr=$(LWS_LEADER_ADDRESS)",
        *([] if leader else ["--headless"]),
    ]
    return _spanning(given, split)


def _spanning(given: Sequence[str], split: Sequence[str]) -> list[str]:
    model, *rest = given
    modules = rest.index("--lora-modules") if "--lora-modules" in rest else len(rest)
    return [model.removeprefix("--model="), *rest[:modules], *split, *rest[modules:]]


def argument(name: str, value: object) -> str:
    """Return an option of the server as it is given."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    return f"--{name}={value}"


def _lora_module(adapter: Adapter, base_model: str) -> str:
    module = {
        "name": adapter["name"],
        "path": adapter["source"],
        "base_model_name": base_model,
    }
    return json.dumps(module)
