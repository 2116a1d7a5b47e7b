"""How fast a replica generates at most: the roofline of its GPUs' memory and arithmetic.

An estimate from above. A step reads the weights that its tokens need and the KV cache of every
sequence, and does two operations for each parameter and token. What servers reach is less.
"""

from sizing.memory import GIB, Fit

_FULL = 0.5
"""How full the context of a sequence is on average."""


def tokens_per_second(fit: Fit, sequences: int) -> float:
    """Return the tokens a second, of so many sequences together."""
    shape, serving, gpu = fit.shape, fit.serving, fit.gpu
    read = shape.bytes_of("attention", "dense", "head" if shape.head else "embedding")
    if shape.routed:
        untouched = (1 - shape.chosen / shape.routed) ** sequences
        read += shape.bytes_of("experts") * (1 - untouched)
    kept = fit.sequence(int(fit.context * _FULL)) * GIB * serving.tensor * serving.pipeline
    # The stages of a pipeline work at the same time if there is more than one sequence.
    gpus = serving.tensor * min(serving.pipeline, sequences)
    moved = (read + sequences * kept) / (gpus * gpu.bandwidth_gbps * 1e9)
    return sequences / max(moved, sequences * _arithmetic(fit, gpus))


def prompt_tokens_per_second(fit: Fit) -> float:
    """Return the tokens of a prompt a second: so many at once that arithmetic is what takes
    time."""
    return 1 / _arithmetic(fit, fit.serving.tensor)


def _arithmetic(fit: Fit, gpus: int) -> float:
    """Return the seconds that so many GPUs take for a token."""
    shape, gpu = fit.shape, fit.gpu
    small = shape.quantization.bytes_of("experts" if shape.routed else "dense") < 2
    tflops = gpu.fp8_tflops if small else gpu.bf16_tflops
    return 2 * shape.active / (gpus * tflops * 1e12)
