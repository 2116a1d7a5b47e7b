"""Shape of a model: the parameters and the KV cache that its config.json makes."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sizing.quantization import Quantization, quantization

Config = Mapping[str, Any]

# Families whose files leave out that input and output embeddings are the same.
_TIED: Final = ("gemma", "cohere")
# Every how many layers one attends to everything; the others to a window.
_PATTERNS: Final = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gpt_oss": 2, "llama4_text": 4}
# Bytes of a token in a layer with sparse attention: keys and values in 8 bits with their scales
# and 64 rotary numbers in 16, and the indexer's 128 numbers in 8 bits with their scale.
_SPARSE_BYTES: Final = 656 + 132
_STATE_BYTES: Final = 4


class ShapeError(ValueError):
    """A config.json that does not say what a size is reckoned from."""


@dataclass(frozen=True)
class Cache:
    """What layers with one kind of attention keep of a token.

    Tensor parallelism splits it by `heads`; every GPU keeps it whole where that is 0. `width` is
    the bytes of a number where the KV cache's type does not decide. `window` is how many tokens
    are kept at most.
    """

    layers: int
    numbers: int
    heads: int = 0
    width: float | None = None
    window: int | None = None


@dataclass(frozen=True)
class Shape:
    """Parameters by part, and what a sequence keeps."""

    context: int | None
    layers: int
    hidden: int
    heads: int
    vocabulary: int
    embedding: int
    head: int
    attention: int
    whole: int
    """Parameters of the attention that each GPU holds whole, whatever the tensor parallelism."""
    dense: int
    experts: int
    routed: int
    chosen: int
    vision: int
    widest: int
    widest_expert: int
    caches: tuple[Cache, ...]
    state: float
    """Bytes a sequence keeps whatever its length, of layers without a KV cache."""
    lora_whole: int
    lora_split: int
    """Numbers of one adapter per unit of rank: what each GPU holds whole, and what is split."""
    quantization: Quantization
    padding: float = 1.0
    """What experts take more for being padded: those in MXFP4 to a multiple of 256."""

    @cached_property
    def parameters(self) -> int:
        """All parameters, those of a vision encoder included."""
        return sum(self.part(name) for name in PARTS)

    @cached_property
    def active(self) -> float:
        """Parameters that work on a token."""
        chosen = self.experts * self.chosen / self.routed if self.routed else 0.0
        return self.attention + self.dense + chosen + (self.head or self.embedding)

    @property
    def latent(self) -> bool:
        """Whether its attention keeps one compressed vector for all heads (MLA)."""
        return any(not each.heads for each in self.caches)

    def part(self, name: str) -> int:
        """Return the parameters of a part."""
        return getattr(self, name)

    def bytes_of(self, *parts: str) -> float:
        """Return what parts take in bytes; all of them without a name."""
        sizes = {
            part: self.part(part) * self.quantization.bytes_of(part) for part in parts or PARTS
        }
        return sum(sizes.values()) + sizes.get("experts", 0.0) * (self.padding - 1)


PARTS: Final = ("embedding", "head", "attention", "dense", "experts", "vision")


def shape_of(config: Config) -> Shape:
    """Return the shape that a config.json describes. Raises ShapeError where it lacks a key."""
    text: dict[str, Any] = {**config, **(config.get("text_config") or {})}
    try:
        return _shape(config, text)
    except KeyError as missing:
        raise ShapeError(f"no {missing.args[0]} in it") from None


def _shape(config: Config, text: Config) -> Shape:
    layers, hidden, vocabulary = (
        text[key] for key in ("num_hidden_layers", "hidden_size", "vocab_size")
    )
    kinds = _kinds(text, layers)
    mixers = Counter(kinds)
    tied = text.get("tie_word_embeddings")
    if tied is None:
        tied = str(config.get("model_type", "")).startswith(_TIED)
    attention = _attention(text, full=True)
    sliding = _attention(text, full=False)
    other = {"linear": _linear(text), "mamba": _mamba(text)}
    mlp = _Mlp.of(text, kinds)
    kept = quantization({**text, **config})
    return Shape(
        context=text.get("max_position_embeddings"),
        layers=layers,
        hidden=hidden,
        heads=text["num_attention_heads"],
        vocabulary=vocabulary,
        embedding=vocabulary * hidden,
        head=0 if tied else vocabulary * hidden,
        attention=mixers["full"] * attention.parameters
        + mixers["sliding"] * sliding.parameters
        + sum(mixers[kind] * each.parameters for kind, each in other.items()),
        whole=mixers["full"] * attention.whole,
        dense=mlp.dense,
        experts=mlp.experts,
        routed=mlp.routed,
        chosen=mlp.chosen,
        vision=_vision(config.get("vision_config") or {}),
        widest=mlp.widest,
        widest_expert=mlp.widest_expert,
        caches=tuple(
            cache(mixers[kind])
            for kind, cache in (("full", attention.cache), ("sliding", sliding.cache))
            if mixers[kind]
        ),
        state=sum(mixers[kind] * each.state for kind, each in other.items()),
        lora_whole=4 * hidden * (mixers["full"] + mixers["sliding"]) + mlp.lora_whole,
        lora_split=(mixers["full"] + mixers["sliding"]) * attention.split + mlp.lora_split,
        quantization=kept,
        padding=-(-mlp.widest_expert // 256) * 256 / mlp.widest_expert if kept.padded else 1.0,
    )


def _kinds(text: Config, layers: int) -> list[str]:
    """Return what each layer mixes tokens by: full or sliding attention, linear, mamba, none."""
    if pattern := text.get("hybrid_override_pattern"):
        return [{"M": "mamba", "*": "full"}.get(each, each) for each in str(pattern)]
    if types := text.get("layer_types"):
        return [each.partition("_")[0].replace("chunked", "sliding") for each in types]
    window = text.get("sliding_window") or text.get("attention_chunk_size")
    every = text.get("sliding_window_pattern") or _PATTERNS.get(str(text.get("model_type")))
    other = "linear" if text.get("full_attention_interval") else "sliding"
    every = text.get("full_attention_interval") or every
    if every and (window or other == "linear"):
        return [other if (layer + 1) % every else "full" for layer in range(layers)]
    everywhere = window and text.get("use_sliding_window", True) and text["model_type"] == "mistral"
    return ["sliding" if everywhere else "full"] * layers


@dataclass(frozen=True)
class _Attention:
    parameters: int
    whole: int
    split: int
    cache: Callable[[int], Cache]


def _attention(text: Config, *, full: bool) -> _Attention:
    hidden, heads = text["hidden_size"], text["num_attention_heads"]
    if rank := text.get("kv_lora_rank"):
        return _latent(text, hidden, heads, rank)
    apart = full and text.get("global_head_dim")
    size = apart or text.get("head_dim") or hidden // heads
    kept = (apart and text.get("num_global_key_value_heads")) or text.get("num_key_value_heads")
    kept = kept or heads
    queries = heads * size * (2 if _gated(text) else 1)
    projections = 1 if apart and text.get("attention_k_eq_v") else 2
    window = None if full else text.get("sliding_window") or text.get("attention_chunk_size")
    return _Attention(
        parameters=hidden * (queries + projections * kept * size + heads * size),
        whole=0,
        split=queries + 2 * kept * size + heads * size,
        cache=lambda layers: Cache(layers, 2 * kept * size, kept, window=window),
    )


def _gated(text: Config) -> bool:
    return bool(text.get("attn_output_gate") or text.get("model_type") == "qwen3_next")


def _latent(text: Config, hidden: int, heads: int, rank: int) -> _Attention:
    """Return multi-head latent attention: one compressed vector for all heads."""
    turned, unturned, value = (
        text[key] for key in ("qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
    )
    queries, query_rank = heads * (turned + unturned), text.get("q_lora_rank")
    down = hidden * (rank + turned) + (hidden * query_rank if query_rank else 0)
    up = (query_rank or hidden) * queries + rank * heads * (unturned + value)
    index = text.get("index_n_heads", 0)
    indexer = index * ((query_rank or hidden) * text.get("index_head_dim", 0) + hidden)
    return _Attention(
        parameters=down + up + heads * value * hidden + indexer,
        whole=down,
        split=queries + heads * value,
        cache=lambda layers: (
            Cache(layers, _SPARSE_BYTES, width=1.0) if index else Cache(layers, rank + turned)
        ),
    )


@dataclass(frozen=True)
class _State:
    parameters: int = 0
    state: float = 0.0


def _linear(text: Config) -> _State:
    """Return a layer of gated delta rule: a state of one size for every sequence."""
    if not text.get("linear_num_key_heads"):
        return _State()
    keys, values = text["linear_num_key_heads"], text["linear_num_value_heads"]
    key = keys * text["linear_key_head_dim"]
    value = values * text["linear_value_head_dim"]
    hidden, kernel = text["hidden_size"], text["linear_conv_kernel_dim"]
    return _State(
        parameters=hidden * (2 * key + 3 * value + 2 * values) + kernel * (2 * key + value),
        state=value * text["linear_key_head_dim"] * _STATE_BYTES
        + 2 * (kernel - 1) * (2 * key + value),
    )


def _mamba(text: Config) -> _State:
    if not text.get("mamba_num_heads"):
        return _State()
    heads, size = text["mamba_num_heads"], text["ssm_state_size"]
    inner, mixed = heads * text["mamba_head_dim"], 2 * text["n_groups"] * size
    hidden, kernel = text["hidden_size"], text["conv_kernel"]
    return _State(
        parameters=hidden * (3 * inner + mixed + heads) + kernel * (inner + mixed),
        state=inner * size * _STATE_BYTES + 2 * (kernel - 1) * (inner + mixed),
    )


@dataclass(frozen=True)
class _Mlp:
    dense: int
    experts: int
    routed: int
    chosen: int
    widest: int
    widest_expert: int
    lora_whole: int
    lora_split: int

    @classmethod
    def of(cls, text: Config, kinds: list[str]) -> "_Mlp":
        """Return the feed-forward layers: dense ones, experts, and those every token takes."""
        hidden = text["hidden_size"]
        matrices = 2 if text.get("model_type") == "nemotron_h" else 3
        routed = (
            text.get("num_experts") or text.get("num_local_experts") or text.get("n_routed_experts")
        ) or 0
        inner = text.get("moe_intermediate_size") or text.get("intermediate_size") or 0
        chosen = text.get("num_experts_per_tok") or text.get("top_k_experts") or 0
        sparse = _sparse(text, kinds) if routed else 0
        alone = "hybrid_override_pattern" in text  # each layer mixes or feeds forward, never both
        plain = kinds.count("-") if alone else len(kinds) - sparse
        wide = text.get("intermediate_size_mlp") or text.get("intermediate_size") or 0
        shared = _shared(text, inner) if sparse else 0
        return cls(
            dense=matrices * hidden * (plain * wide + sparse * shared) + sparse * hidden * routed,
            experts=sparse * routed * matrices * hidden * inner,
            routed=routed,
            chosen=chosen,
            widest=max(wide if plain else 0, shared),
            widest_expert=inner if sparse else 0,
            lora_whole=matrices * hidden * (plain + sparse * (routed + bool(shared))),
            lora_split=matrices * (plain * wide + sparse * (routed * inner + shared)),
        )


def _sparse(text: Config, kinds: list[str]) -> int:
    """Return how many layers have experts."""
    if "hybrid_override_pattern" in text:
        return kinds.count("E")
    layers = len(kinds) - len(text.get("mlp_only_layers") or ())
    if step := text.get("interleave_moe_layer_step"):
        return layers // step
    return layers - (text.get("first_k_dense_replace") or 0)


def _shared(text: Config, inner: int) -> int:
    """Return the width of the feed-forward layer that every token takes beside its experts."""
    given = text.get("shared_expert_intermediate_size") or text.get(
        "moe_shared_expert_intermediate_size"
    )
    if text.get("enable_moe_block") or text.get("model_type") == "llama4_text":
        return text["intermediate_size"]
    return given or (text.get("n_shared_experts") or 0) * inner


def _vision(vision: Config) -> int:
    layers = vision.get("depth") or vision.get("num_hidden_layers") or 0
    hidden, inner = vision.get("hidden_size", 0), vision.get("intermediate_size", 0)
    return layers * hidden * (4 * hidden + 2 * inner)
