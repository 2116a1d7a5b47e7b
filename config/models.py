"""Models: what is served under which name, and on which GPUs its replicas run."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import inference as limits
from config.external_backends import ExternalBackend
from config.fields import Scalar, Settings
from config.guardrails import DEFAULT

ModelName = Annotated[str, limits.MODEL_NAME]
Source = Annotated[str, limits.SOURCE]


class Adapter(Settings):
    """A LoRA adapter on the model: clients send its name as the model name."""

    name: Annotated[str, limits.ADAPTER_NAME]
    """Name clients send. Unique among all models and adapters."""
    source: Annotated[str, limits.ADAPTER_SOURCE]
    """Hugging Face repository of the adapter."""


def pools_of(node_pool: str | None, capacity: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the GPU pools of a replica set, the best first."""
    return (*([] if node_pool is None else [node_pool]), *capacity)


class ReplicaSet(Settings):
    """Equal replicas of the model on one GPU pool, or on one of several, in every region of the
    model."""

    node_pool: str | None = None
    """Name of the GPU pool (a key of gpu_pools) it runs on; none with capacity."""
    capacity: tuple[str, ...] = ()
    """Names of GPU pools instead of node_pool, the best first: replicas run on the next where GKE
    gets no nodes of one, and move back once it does. A pool stands in one such list only."""
    replicas: Annotated[int, limits.LEAST_REPLICAS]
    """Replicas in each region. 0, with max_replicas: none while nobody asks; the first requests
    then wait in the endpoint picker with flow_control, and get 503 without."""
    max_replicas: Annotated[int, limits.REPLICAS] | None = None
    """Replicas in each region when requests queue up; replicas is then the least. Default: the
    number stays."""
    queue_per_replica: Annotated[int, limits.QUEUE_PER_REPLICA] | None = None
    """Waiting requests of a replica from which on more are added. Default: 5."""
    running_per_replica: Annotated[int, limits.RUNNING_PER_REPLICA] | None = None
    """Requests that a replica works on from which on more are added, beside those that wait.
    Default: only those that wait count."""
    kv_cache_percent: Annotated[int, limits.KV_CACHE_PERCENT] | None = None
    """Use of the replicas' KV cache from which on more are added. Default: it doesn't count."""
    scale_down_seconds: Annotated[int, limits.SCALE_DOWN_SECONDS] | None = None
    """Seconds for which fewer must be enough before one is removed. Default: 600."""
    gpus: Annotated[int, limits.GPUS] = limits.GPUS.default
    """GPUs of one replica on each of its nodes (tensor parallel size)."""
    nodes: Annotated[int, limits.NODES] = limits.NODES.default
    """Nodes of one replica; the model's layers are split between them."""
    weight: Annotated[int, limits.WEIGHT] = limits.WEIGHT.default
    """Percent of the model's requests. Needed when there are several replica sets; all together
    are 100."""
    source: Source | None = None
    """Where these replicas' weights come from: a new version beside the old one. Default: the
    model's source."""
    name: Annotated[str, limits.BACKEND_NAME] = Field(
        default_factory=lambda data: next(iter(pools_of(data["node_pool"], data["capacity"])), "")
    )
    """Name of the replica set within the model. Default: the name of its first GPU pool."""

    @property
    def pools(self) -> tuple[str, ...]:
        """The names of the GPU pools that it may run on, the best first."""
        return pools_of(self.node_pool, self.capacity)

    @property
    def gpus_in_all(self) -> int:
        """GPUs of one replica on all its nodes."""
        return self.gpus * self.nodes

    @property
    def goes_to_zero(self) -> bool:
        """Whether there is no replica while nobody asks."""
        return self.replicas == 0

    @property
    def most_replicas(self) -> int:
        """The most replicas there may be in a region."""
        return self.replicas if self.max_replicas is None else self.max_replicas

    @property
    def has_weight(self) -> bool:
        """Whether the weight was given, not the default."""
        return "weight" in self.model_fields_set


class Picker(Settings):
    """How the endpoint picker chooses the replica of a request."""

    scorers: Mapping[Annotated[str, limits.SCORER], Annotated[int, limits.SCORER_WEIGHT]] = Field(
        default_factory=dict
    )
    """Weights of its scorers beside the defaults (queue 2, KV cache 2, prefix 3, with adapters
    their affinity 1); 0 leaves one out."""
    prefix_tokens: Annotated[int, limits.PREFIX_TOKENS] | None = None
    """Tokens of a prompt's beginning by which it looks for a replica that has them. Default: 256
    blocks of the KV cache."""
    prefix_blocks_per_replica: Annotated[int, limits.PREFIX_BLOCKS] | None = None
    """Blocks of prompts that it remembers for each replica. Default: what its KV cache holds."""
    saturated_queue: Annotated[int, limits.SATURATED_QUEUE] = limits.SATURATED_QUEUE.default
    """Waiting requests of a replica from which on it is saturated."""
    saturated_kv_cache_percent: Annotated[int, limits.SATURATED_KV_CACHE] = (
        limits.SATURATED_KV_CACHE.default
    )
    """Use of a replica's KV cache from which on it is saturated."""


class Model(Settings):
    """One model behind the gateway under its key, served by vLLM or outside the cluster."""

    source: Source | None = None
    """Where the weights come from: Hugging Face repository or gs://bucket/path. Needed for
    replica sets."""
    memory_gib: Annotated[float, limits.MEMORY_GIB] | None = None
    """GPU memory one replica needs in GiB: weights and KV cache. Left out, it is reckoned from the
    model's shape, if the catalog has it or config_json says it; else nothing is checked."""
    team: Annotated[str, limits.TEAM] | None = None
    """Whose model it is: the label team of its replicas, by which the bill is divided; where the
    platform has teams, one of them, in whose namespace it then is."""
    config_json: str | None = Field(default=None, min_length=1)
    """Path of the weights' config.json, from the stack file's folder: the shape of a model that the
    catalog does not have."""
    replica_sets: tuple[ReplicaSet, ...] = ()
    """Where replicas run. Several share the requests by weight."""
    external: tuple[ExternalBackend, ...] = ()
    """Backends outside the cluster, beside the replica sets or instead of them."""
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters on this model."""
    max_context: Annotated[int, limits.MAX_CONTEXT] | None = None
    """Longest prompt and answer together, in tokens."""
    max_lora_rank: Annotated[int, limits.MAX_LORA_RANK] = limits.MAX_LORA_RANK.default
    """Highest rank among the adapters."""
    startup_timeout_seconds: Annotated[int, limits.STARTUP_TIMEOUT_SECONDS] = (
        limits.STARTUP_TIMEOUT_SECONDS.default
    )
    """Time to download and load the model before a restart."""
    drain_seconds: Annotated[int, limits.DRAIN_SECONDS] = limits.DRAIN_SECONDS.default
    """Time a stopping replica goes on answering."""
    gated: bool = False
    """Whether the download needs a Hugging Face token."""
    regions: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Regions that serve it. Default: every region."""
    server_args: Mapping[Annotated[str, limits.FLAG_NAME], Scalar] = Field(default_factory=dict)
    """Further vLLM options without their dashes; true gives a bare switch."""

    environment: Mapping[Annotated[str, limits.SERVER_VARIABLE], str] = Field(default_factory=dict)
    """Environment variables of the servers, such as VLLM_LOGGING_LEVEL. No secrets: they would
    stand in the manifest."""
    picker: Picker | None = None
    """How the endpoint picker of each replica set chooses. Default: as every pool's."""
    objectives: Mapping[Annotated[str, limits.OBJECTIVE_NAME], Annotated[int, limits.PRIORITY]] = (
        Field(default_factory=dict)
    )
    """Priorities by name, which clients choose by the header x-gateway-inference-objective; its
    value is <model>-<replica set>-<name>, each as in Kubernetes. Requests without one have 0;
    negative ones are rejected while the replicas are saturated."""
    flow_control: bool = False
    """Whether requests wait in the endpoint picker while the replicas are saturated, the
    highest priority first. Experimental in release 1.5 of the inference extension; without it
    priorities above 0 change nothing."""
    guardrail: str = DEFAULT
    """Name of the guardrail (a key of guardrails) that screens it and its adapters; 'none' for
    none at all. Default: the guardrail named default."""

    @property
    def backends(self) -> tuple[ReplicaSet | ExternalBackend, ...]:
        """Everything that answers its requests: replica sets, then external backends."""
        return (*self.replica_sets, *self.external)

    def is_in(self, region: str) -> bool:
        """Return whether `region` serves this model."""
        return self.regions is None or region in self.regions
