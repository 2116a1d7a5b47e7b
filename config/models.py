"""Models: what is served under which name, and on which GPUs its replicas run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.external_backends import ExternalBackend
from config.fields import Matching, Scalar, Settings, label
from config.guardrails import DEFAULT

ModelName = Annotated[
    str,
    Matching(
        "[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?",
        "1 to 63 letters, digits, dots, slashes, underscores or hyphens, a letter or digit at both"
        " ends",
        "choose the name clients shall send as `model`",
    ),
]
Source = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*|gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]/\S+",
        "a Hugging Face repository (owner/name) or a Cloud Storage folder (gs://bucket/path)",
        "write it like Qwen/Qwen3-4B",
    ),
]
ObjectiveName = Annotated[str, label(15, "it becomes part of a Kubernetes name")]
FlagName = Annotated[
    str,
    Matching("[a-z][a-z0-9-]*", "a vLLM option without its dashes", "write it like max-num-seqs"),
]


class Adapter(Settings):
    """A LoRA adapter on the model: clients send its name as the model name."""

    name: ModelName = Field(description="Name clients send. Unique among all models and adapters.")
    source: Source = Field(
        description="Hugging Face repository or gs://bucket/path of the adapter."
    )


class ReplicaSet(Settings):
    """Equal replicas of the model on one GPU pool, in every region of the model."""

    node_pool: str = Field(description="Name of the GPU pool (a key of gpu_pools) it runs on.")
    replicas: int = Field(ge=1, le=1000, description="Replicas in each region.")
    max_replicas: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Replicas in each region when requests queue up; replicas is then the least."
        " Default: the number stays.",
    )
    queue_per_replica: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Waiting requests of a replica from which on more are added. Default: 5.",
    )
    gpus: Literal[1, 2, 4, 8] = Field(
        default=1, description="GPUs of one replica on each of its nodes (tensor parallel size)."
    )
    nodes: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Nodes of one replica; the model's layers are split between them.",
    )
    weight: int = Field(
        default=100,
        ge=0,
        le=100,
        description="Percent of the model's requests. Needed when there are several replica sets;"
        " all together are 100.",
    )
    source: Source | None = Field(
        default=None,
        description="Where these replicas' weights come from: a new version beside the old one."
        " Default: the model's source.",
    )
    name: Annotated[str, label(23, "it becomes part of Kubernetes names")] = Field(
        default_factory=lambda data: str(data["node_pool"]),
        description="Name of the replica set within the model. Default: the GPU pool's name.",
    )

    @property
    def gpus_in_all(self) -> int:
        """GPUs of one replica on all its nodes."""
        return self.gpus * self.nodes

    @property
    def most_replicas(self) -> int:
        """The most replicas there may be in a region."""
        return self.replicas if self.max_replicas is None else self.max_replicas

    @property
    def has_weight(self) -> bool:
        """Whether the weight was given, not the default."""
        return "weight" in self.model_fields_set


class Model(Settings):
    """One model behind the gateway under its key, served by vLLM or outside the cluster."""

    source: Source | None = Field(
        default=None,
        description="Where the weights come from: Hugging Face repository or gs://bucket/path."
        " Needed for replica sets.",
    )
    memory_gib: float | None = Field(
        default=None,
        gt=0,
        description="GPU memory one replica needs in GiB: weights and KV cache. Needed for replica"
        " sets.",
    )
    replica_sets: tuple[ReplicaSet, ...] = Field(
        default=(), description="Where replicas run. Several share the requests by weight."
    )
    external: tuple[ExternalBackend, ...] = Field(
        default=(),
        description="Backends outside the cluster, beside the replica sets or instead of them.",
    )
    adapters: tuple[Adapter, ...] = Field(default=(), description="LoRA adapters on this model.")
    max_context: int | None = Field(
        default=None, ge=128, description="Longest prompt and answer together, in tokens."
    )
    gated: bool = Field(
        default=False, description="Whether the download needs a Hugging Face token."
    )
    regions: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="Regions that serve it. Default: every region."
    )
    server_args: Mapping[FlagName, Scalar] = Field(
        default_factory=dict,
        description="Further vLLM options without their dashes; true gives a bare switch.",
    )

    objectives: Mapping[ObjectiveName, int] = Field(
        default_factory=dict,
        description="Priorities by name, which clients choose by the header"
        " x-gateway-inference-objective; its value is <model>-<replica set>-<name>, each as in"
        " Kubernetes. Requests without one have 0; negative ones are rejected while the replicas"
        " are saturated.",
    )
    flow_control: bool = Field(
        default=False,
        description="Whether requests wait in the endpoint picker while the replicas are"
        " saturated, the highest priority first. Experimental in release 1.5 of the inference"
        " extension; without it priorities above 0 change nothing.",
    )
    guardrail: str = Field(
        default=DEFAULT,
        description="Name of the guardrail (a key of guardrails) that screens it and its adapters;"
        " 'none' for none at all. Default: the guardrail named default.",
    )

    @property
    def backends(self) -> tuple[ReplicaSet | ExternalBackend, ...]:
        """Everything that answers its requests: replica sets, then external backends."""
        return (*self.replica_sets, *self.external)

    def is_in(self, region: str) -> bool:
        """Whether `region` serves this model."""
        return self.regions is None or region in self.regions
