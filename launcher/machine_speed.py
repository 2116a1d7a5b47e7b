"""What the machines of a stack's models take, for the simulated servers in their place.

The roofline of `sizing`: an estimate from above. The room of the KV cache is what is left of the
GPUs' memory.
"""

from collections.abc import Callable, Mapping
from typing import Any

from config.checks.memory import fit_of, known_shape
from config.platform import Platform
from sizing.memory import Fit
from sizing.speed import prompt_tokens_per_second, tokens_per_second


def at_speed(platform: Platform, region: str, speed: float) -> Callable[[Any], None]:
    """Return what gives a replica of a region its machine's times, on a clock so much faster than
    ours; one whose model's shape is not known goes on answering at once."""
    found = _fits(platform)

    def tune(replica: Any) -> None:
        from emulator.gateway.kv_cache import BLOCK_TOKENS

        deployment = replica.pod.rpartition("-")[0]
        for (model, name), fit in found.items():
            if replica.model == model and deployment.endswith(f"-{name}-{region}"):
                replica.size(fit.tokens // BLOCK_TOKENS)
                replica.seconds_per_prompt_token = 1 / prompt_tokens_per_second(fit)
                replica.step_seconds = _step(fit)
                replica.speed = speed

    return tune


def _fits(platform: Platform) -> Mapping[tuple[str, str], Fit]:
    """Return how models fit a replica, by model and replica set."""
    return {
        (name, each.name): fit_of(model, each, platform.gpu_pools[each.pools[0]], found)
        for name, model in platform.models.items()
        for each in model.replica_sets
        if (found := known_shape(model, each)) is not None
    }


def _step(fit: Fit) -> Callable[[int], float]:
    return lambda sequences: sequences / tokens_per_second(fit, sequences)
