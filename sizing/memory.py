"""What fits into the memory of GPUs: weights, adapters, work, and the KV cache that is left."""

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Final

from catalog.machines import Gpu
from sizing.shape import Cache, Shape

GIB: Final = 2**30
UTILIZATION: Final = 0.92
"""Share of a GPU's memory that vLLM takes unless told otherwise."""
_RUNTIME_GIB: Final = 0.3
"""Of CUDA's graphs and libraries: measured, see tests/sizing/published.yaml."""
_COLLECTIVES_GIB: Final = 0.35
"""Of the libraries with which several GPUs work together."""
_LOGIT_BYTES: Final = 28
"""Of a number for each word of the vocabulary: in 16 bits, in 32, sorted with its place, as a
probability, summed up, and back in its place."""


@dataclass(frozen=True)
class Serving:
    """How a replica serves the model: over how many GPUs, and what vLLM is told."""

    tensor: int = 1
    pipeline: int = 1
    expert_parallel: bool = False
    context: int | None = None
    """Longest prompt and answer together; None for the model's own."""
    utilization: float = UTILIZATION
    batched_tokens: int | None = None
    sequences: int | None = None
    """Tokens and sequences of a step at most; None for what vLLM chooses by the GPU."""
    kv_width: float = 2.0
    """Bytes of a number in the KV cache."""
    adapters: int = 0
    rank: int = 0
    """LoRA adapters in GPU memory at once, and the highest rank among them."""

    @property
    def gpus(self) -> int:
        """GPUs of a replica."""
        return self.tensor * self.pipeline


@dataclass(frozen=True)
class Fit:
    """What a replica has of each GPU's memory, in GiB."""

    shape: Shape = field(repr=False)
    gpu: Gpu = field(repr=False)
    serving: Serving

    @cached_property
    def _batch(self) -> tuple[int, int]:
        # vLLM's own choice: https://github.com/vllm-project/vllm/pull/17885
        large = self.gpu.usable_gib >= 70 and self.gpu.bf16_tflops > 312
        tokens, sequences = (8192, 1024) if large else (2048, 256)
        return self.serving.batched_tokens or tokens, self.serving.sequences or sequences

    @property
    def context(self) -> int:
        """The longest prompt and answer together that is asked for."""
        return self.serving.context or self.shape.context or 2048

    @property
    def budget(self) -> float:
        """What vLLM takes."""
        return self.gpu.usable_gib * self.serving.utilization

    @cached_property
    def _stage(self) -> float:
        """The share of the layers on the fullest stage of the pipeline."""
        return ceil(self.shape.layers / self.serving.pipeline) / self.shape.layers

    @cached_property
    def weights(self) -> float:
        """Weights, of the fullest GPU."""
        shape, tensor = self.shape, self.serving.tensor
        ends = [shape.bytes_of("embedding"), shape.bytes_of("head")]
        experts = shape.bytes_of("experts") / tensor
        if self.serving.expert_parallel and shape.routed:
            experts *= ceil(shape.routed / tensor) * tensor / shape.routed
        layers = shape.bytes_of("attention", "dense") / tensor + experts
        whole = shape.whole * shape.quantization.bytes_of("attention") * (1 - 1 / tensor)
        outside = (sum(ends) if self.serving.pipeline == 1 else max(ends)) / tensor
        return (self._stage * (layers + whole) + outside + shape.bytes_of("vision") / tensor) / GIB

    @cached_property
    def adapters(self) -> float:
        """Room for LoRA adapters."""
        numbers = self.shape.lora_whole + self.shape.lora_split / self.serving.tensor
        return self.serving.adapters * self.serving.rank * numbers * self._stage * 2 / GIB

    @cached_property
    def work(self) -> float:
        """What a step needs beside weights and KV cache, at its largest."""
        shape, tensor = self.shape, self.serving.tensor
        tokens, sequences = self._batch
        token = 4 * shape.hidden + 2 * shape.widest / tensor
        token += shape.chosen * (shape.hidden + 2 * shape.widest_expert / tensor)
        steps = tokens * token * 2 + sequences * shape.vocabulary * _LOGIT_BYTES
        together = _COLLECTIVES_GIB if self.serving.gpus > 1 else 0.0
        return _RUNTIME_GIB + together + steps / GIB

    @cached_property
    def cache(self) -> float:
        """What is left for the KV cache; below 0 where the weights alone are too large."""
        return self.budget - self.weights - self.adapters - self.work

    def sequence(self, tokens: int) -> float:
        """Return what a sequence of so many tokens keeps on each GPU, in GiB."""
        kept = sum(self._bytes(each) * self._kept(each, tokens) for each in self.shape.caches)
        return self._stage * (kept + self.shape.state / self.serving.tensor) / GIB

    def _bytes(self, cache: Cache) -> float:
        """Return what a token takes on each GPU that has all of these layers."""
        share = 1 / min(self.serving.tensor, cache.heads) if cache.heads else 1.0
        return cache.layers * cache.numbers * (cache.width or self.serving.kv_width) * share

    def _kept(self, cache: Cache, tokens: int) -> int:
        # Those of a step are there before the oldest go.
        return min(tokens, cache.window + self._batch[0]) if cache.window else tokens

    @property
    def token(self) -> float:
        """KiB that one more token takes on each GPU while every layer still keeps it."""
        return self._stage * sum(self._bytes(each) for each in self.shape.caches) / 1024

    @cached_property
    def concurrency(self) -> float:
        """How many sequences of the full context there is room for."""
        return max(self.cache, 0.0) / self.sequence(self.context)

    @property
    def tokens(self) -> int:
        """Tokens in the KV cache, as vLLM counts them when it starts."""
        return int(self.concurrency * self.context)

    @cached_property
    def longest(self) -> int:
        """The longest context that one sequence may have, up to the model's own."""
        low, high = 0, self.shape.context or self.context
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.sequence(middle) <= self.cache else (low, middle - 1)
        return low

    @property
    def splits(self) -> bool:
        """Whether the model can be split so: heads among GPUs, layers among nodes."""
        return self.shape.heads % self.serving.tensor == 0 and (
            self.serving.pipeline <= self.shape.layers
        )

    @property
    def holds(self) -> bool:
        """Whether a sequence of the full context has room."""
        return self.splits and self.cache > 0 and self.sequence(self.context) <= self.cache

    @property
    def at_once(self) -> int:
        """Sequences of the full context that are served at once."""
        return min(int(self.concurrency), self._batch[1])

    @property
    def needed(self) -> float:
        """GiB that the model needs on all GPUs together: one sequence of the full context."""
        least = self.weights + self.adapters + self.work + self.sequence(self.context)
        return least / self.serving.utilization * self.serving.gpus

    @property
    def lacking(self) -> float:
        """GiB that lack on all GPUs together; below 0 where there is room."""
        return (self.sequence(self.context) - self.cache) * self.serving.gpus

    def arithmetic(self) -> str:
        """Return how it was reckoned, as a phrase."""
        adapters = f", adapters {self.adapters:.1f}" if self.adapters else ""
        return (
            f"of each GPU's {self.gpu.usable_gib:.1f} GiB vLLM takes"
            f" {self.serving.utilization:.0%}, {self.budget:.1f}: weights {self.weights:.1f}"
            f"{adapters}, work {self.work:.1f}, {self.cache:.1f} left for the KV cache;"
            f" {self.context:,} tokens at {self.token:.0f} KiB take"
            f" {self.sequence(self.context):.1f}"
        )
