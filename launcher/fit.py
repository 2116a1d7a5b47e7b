"""The command line behind `make fit`: which machines hold a model, at what cost, how fast at most.

Exit codes: 0 when a machine type holds it, 1 for none or an error, 2 for wrong usage.
"""

import argparse
import difflib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from catalog.machines import GPU_MACHINE_TYPES
from catalog.models import MODELS
from launcher.arguments import Parser
from launcher.console import aligned, show
from launcher.ending import exit_code_of
from launcher.problem import LaunchError
from sizing.memory import GIB, Fit, Serving
from sizing.models import Published, published, shape_of_file
from sizing.placements import Placement, cheapest, sizes, ways
from sizing.quantization import SCHEMES
from sizing.shape import Shape, ShapeError
from sizing.speed import tokens_per_second

_HEADS: Final = (
    *("machine type", "gpus", "weights", "KV", "longest", "seqs"),
    *("USD", "spot", "tok/s", "all"),
)
_NOTE: Final = """\
gpus     of a replica, or on each of so many nodes; of TPUs, chips
weights  and KV cache, GiB of each GPU
longest  tokens of one sequence
seqs     sequences of the whole context at once
USD      a month, and on spot, for the share of the machines that a replica takes
tok/s    of one sequence, and of all at once, half full: an estimate from above, the roofline of\
 memory bandwidth and FLOPs"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what holds the model; returns the exit code."""
    parser = Parser(prog="python -m launcher.fit", description=__doc__)
    parser.add_argument("--model", required=True, help="a Hugging Face repository or a config.json")
    parser.add_argument("--machine", default="", help="one machine type, with every way to use it")
    parser.add_argument("--context", type=_count, help="tokens of prompt and answer together")
    parser.add_argument("--quantization", choices=sorted(SCHEMES), help="of the weights")
    parser.add_argument("--kv-cache", choices=("auto", "fp8"), default="auto")
    parser.add_argument("--adapters", type=_count, default=0, help="LoRA adapters at once")
    parser.add_argument("--rank", type=_count, default=64, help="their highest rank")
    parser.add_argument(
        "--expert-parallel", action="store_true", help="keep experts whole, each on one GPU"
    )
    chosen = parser.parse_args(arguments)
    serving = Serving(
        context=chosen.context,
        kv_width=1.0 if chosen.kv_cache == "fp8" else 2.0,
        adapters=chosen.adapters,
        rank=chosen.rank,
        expert_parallel=chosen.expert_parallel,
    )
    return exit_code_of(lambda: _fit(chosen, serving))


def _fit(chosen: argparse.Namespace, serving: Serving) -> int:
    found = _model(chosen.model, chosen.quantization)
    _check_context(found, chosen.context)
    show(_about(found))
    return _print(found.shape, serving, chosen.machine)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"found {text!r}, allowed: a whole number above 0")
    return int(text)


def _model(name: str, scheme: str | None) -> Published:
    if name.endswith(".json"):
        try:
            shape = shape_of_file(Path(name), scheme)
        except ShapeError as problem:
            raise LaunchError(f"{name}: {problem}; give a model's config.json") from None
        return Published(name, shape, shape.context)
    found = published(name, scheme)
    if found is None:
        plain = {each.rpartition("/")[2].lower(): each for each in MODELS}
        near = difflib.get_close_matches(name.rpartition("/")[2].lower(), plain, n=3, cutoff=0.4)
        known = ", ".join(plain[each] for each in near) or "those of catalog/models.yaml"
        raise LaunchError(
            f"MODEL: found {name!r}, whose shape is not known; allowed: {known}, or the path of its"
            " config.json"
        )
    return found


def _check_context(found: Published, context: int | None) -> None:
    if context and found.context and context > found.context:
        raise LaunchError(
            f"CONTEXT: found {context}; allowed: at most {found.context}, what {found.name} is"
            " published with; lower it"
        )


def _about(found: Published) -> str:
    shape = found.shape
    fit = Fit(shape, next(iter(GPU_MACHINE_TYPES.values())).gpu, Serving())
    context = f"{shape.context:,}" if shape.context else "not known"
    return (
        f"{found.name}: {shape.parameters / 1e9:.1f} billion parameters,"
        f" {shape.active / 1e9:.1f} of them for a token; weights {shape.bytes_of() / GIB:.1f} GiB,"
        f" KV cache {fit.token:.0f} KiB a token, context {context} tokens\n"
    )


def _print(shape: Shape, serving: Serving, machine: str) -> int:
    found = _on(shape, serving, machine) if machine else cheapest(shape, serving)
    held = [each for each in found if each.fit.holds]
    if held:
        show("\n".join(aligned([_HEADS, *(tuple(_row(each)) for each in held)], left=1)))
    if machine:
        lines = (f"  {_gpus(each):<4}  {each.fit.arithmetic()}" for each in found)
        show("\n".join(("", *lines)))
    elif held:
        names = {each.machine.name for each in held}
        without = ", ".join(name for name in GPU_MACHINE_TYPES if name not in names)
        show(f"\nheld by none of: {without}" if without else "")
    show(f"\n{_NOTE}" if held else ways(shape, serving))
    return 0 if held else 1


def _on(shape: Shape, serving: Serving, name: str) -> list[Placement]:
    """Return every way to use a machine type: parts of one, and several whole."""
    machine = GPU_MACHINE_TYPES.get(name)
    if machine is None:
        near = difflib.get_close_matches(name, GPU_MACHINE_TYPES, n=3)
        raise LaunchError(
            f"MACHINE: found {name!r}; allowed: {', '.join(near or GPU_MACHINE_TYPES)}"
        )
    return [
        Placement(machine, Fit(shape, machine.gpu, replace(serving, tensor=gpus, pipeline=nodes)))
        for gpus, nodes in sizes(machine)
    ]


def _gpus(placement: Placement) -> str:
    nodes = placement.nodes
    return f"{placement.gpus}x{nodes}" if nodes > 1 else str(placement.gpus)


def _row(placement: Placement) -> Iterator[str]:
    fit = placement.fit
    yield placement.machine.name
    yield _gpus(placement)
    yield from (f"{each:.1f}" for each in (fit.weights, fit.cache))
    yield f"{fit.longest:,}"
    yield f"{fit.at_once:,}"
    for usd in (placement.usd(), placement.usd("spot")):
        yield "unknown" if usd is None else f"{usd:,.0f}"
    yield from (f"{tokens_per_second(fit, each):,.0f}" for each in (1, fit.at_once))


if __name__ == "__main__":
    sys.exit(main())
