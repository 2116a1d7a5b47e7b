"""Models that fit: into the GPUs of their replicas, with the longest context they are given."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from catalog.config_folder import config_folder
from catalog.limits.inference import LORA_SLOTS
from catalog.problems import KeyPath, Problem, shown
from config.fields import Scalar
from config.gpu_pools import GpuPool
from config.known import Known
from config.models import Model, ReplicaSet
from sizing.memory import Fit, Serving
from sizing.models import Published, published, shape_of_file
from sizing.quantization import SCHEMES
from sizing.shape import ShapeError

_STRETCHED: Final = frozenset({"rope-scaling", "hf-overrides"})
# Options that change what fits in ways that are not reckoned here.
_UNRECKONED: Final = frozenset(
    [
        "cpu-offload-gb",
        "data-parallel-size",
        "hf-overrides",
        "kv-cache-memory-bytes",
        "load-format",
        "quantization",
        "speculative-config",
    ]
)


def check_memory(known: Known, model: Model) -> Iterator[Problem]:
    """Yield what the weights, the context and the GPUs of a model's replicas make impossible."""
    if model.config_json is not None:
        try:
            _from_file(model.config_json)
        except ShapeError as problem:
            yield Problem(
                ("config_json",),
                f"{shown(model.config_json)}: {problem}",
                "the config.json of a Hugging Face model",
                "correct the path: it begins at the project's folder",
            )
    for position, replica_set in enumerate(model.replica_sets):
        source = replica_set.source or model.source or ""
        found = known_shape(model, replica_set)
        if position == 0 and found is not None:
            yield from _check_context(model, source, found)
        if _UNRECKONED & model.server_args.keys():
            continue
        path = ("replica_sets", position)
        for pool in _unlike(known, replica_set):
            yield from _check_given(path, model, replica_set, pool)
            if found is not None and pool.machine.is_tpu and found.shape.latent:
                yield Problem(
                    (*path, "node_pool" if replica_set.node_pool else "capacity"),
                    f"TPUs, with {source}, whose attention is latent (MLA)",
                    "a pool with GPUs: vLLM has it on TPUs as an experiment only",
                    "choose another pool or model",
                )
            elif found is not None:
                yield from _check_fit(path, model, source, fit_of(model, replica_set, pool, found))


def _unlike(known: Known, replica_set: ReplicaSet) -> Iterable[GpuPool]:
    """Return the pools of a replica set, one of each type of GPU."""
    pools = (known.gpu_pools.get(name) for name in replica_set.pools)
    return {
        (pool.machine.gpu_type, pool.partition): pool for pool in pools if pool is not None
    }.values()


def known_shape(model: Model, replica_set: ReplicaSet) -> Published | None:
    """Return what is known of the shape of a replica set's weights."""
    if model.config_json is not None:
        with suppress(ShapeError):
            return _from_file(model.config_json)
    return published(replica_set.source or model.source or "")


def _from_file(path: str) -> Published:
    shape = shape_of_file(config_folder() / path)
    return Published(path, shape, shape.context)


def _check_context(model: Model, source: str, found: Published) -> Iterator[Problem]:
    stretched = _STRETCHED & model.server_args.keys()
    if found.context and not stretched and (model.max_context or 0) > found.context:
        yield Problem(
            ("max_context",),
            shown(model.max_context),
            f"at most {found.context}, what {source} is published with",
            "lower it: vLLM ends at a longer one",
        )


def _check_given(
    path: KeyPath, model: Model, replica_set: ReplicaSet, pool: GpuPool
) -> Iterator[Problem]:
    """Yield that the memory given for a model is more than its GPUs have."""
    room = replica_set.gpus_in_all * pool.gpu.memory_gib
    if model.memory_gib is not None and model.memory_gib > room:
        yield Problem(
            (*path, "gpus"),
            f"{replica_set.gpus_in_all}, that is {room:g} GiB on {_named(pool)}",
            f"GPUs with at least memory_gib, {model.memory_gib:g} GiB",
            "raise gpus or choose a pool with larger GPUs",
        )


def _named(pool: GpuPool) -> str:
    of = "" if pool.partition is None else f"partitions {pool.partition} of "
    return f"{of}{pool.machine.gpu_type}"


def fit_of(model: Model, replica_set: ReplicaSet, pool: GpuPool, found: Published) -> Fit:
    """Return how a model fits a replica on a pool's machines."""
    args = model.server_args
    # The chips of a slice of TPUs are one device, whichever node they are on.
    whole = pool.machine.is_tpu
    serving = Serving(
        tensor=replica_set.gpus_in_all if whole else replica_set.gpus,
        pipeline=1 if whole else replica_set.nodes,
        expert_parallel=args.get("enable-expert-parallel") is True,
        context=_context(model, found),
        batched_tokens=_number(args, "max-num-batched-tokens"),
        sequences=_number(args, "max-num-seqs"),
        kv_width=_width(args),
        adapters=min(len(model.adapters), LORA_SLOTS),
        rank=model.max_lora_rank,
    )
    if "gpu-memory-utilization" in args:
        with suppress(ValueError):
            serving = replace(serving, utilization=float(args["gpu-memory-utilization"]))
    return Fit(found.shape, pool.gpu, serving)


def _context(model: Model, found: Published) -> int | None:
    """Return the longest context given, no longer than the model's: that is said on its own."""
    given, own = model.max_context, found.context
    return own if given is None or (own is not None and own < given) else given


def _number(args: Mapping[str, Scalar], name: str) -> int | None:
    value = str(args.get(name, ""))
    return int(value) if value.isdigit() and int(value) else None


def _width(args: Mapping[str, Scalar]) -> float:
    """Return the bytes of a number in the KV cache."""
    kind = str(args.get("kv-cache-dtype", ""))
    return next((SCHEMES[each] for each in ("nvfp4", "fp8", "int8") if each in kind), 2.0)


def _check_fit(path: KeyPath, model: Model, source: str, fit: Fit) -> Iterator[Problem]:
    shape, serving = fit.shape, fit.serving
    if model.memory_gib is not None and model.memory_gib < fit.needed:
        yield Problem(
            ("memory_gib",),
            shown(model.memory_gib),
            f"{fit.needed:.0f} GiB or more, what {source} needs for {fit.context:,} tokens",
            "remove it: it is reckoned",
        )
    if not fit.splits:
        yield Problem(
            (*path, "gpus"),
            shown(serving.tensor),
            f"a number that divides the {shape.heads} attention heads of {source}",
            "change it: vLLM gives each GPU as many",
        )
    elif not fit.holds:
        # The prices it sorts by take a while to read, and most models fit.
        from sizing.placements import ways

        shorter = f", or max_context: {fit.longest} or less" if fit.longest > 0 else ""
        yield Problem(
            (*path, "gpus"),
            f"{serving.gpus}, too little for {source} ({fit.arithmetic()})",
            f"GPUs that hold one sequence of its {fit.context:,} tokens{shorter}",
            ways(shape, serving),
        )
