"""Published models: what the name of a Hugging Face repository says of its weights."""

import re
from typing import Final

# Longest context by the repository's name, from max_position_embeddings of each config.json.
_CONTEXTS: Final = {
    r"llama-3\.[123]-": 131_072,
    r"llama-3-": 8192,
    r"llama-2-": 4096,
    r"qwen3-(?!.*2507)[0-9.]+b": 40_960,
    r"qwen2\.5-(?!.*1m)[0-9.]+b-instruct": 32_768,
    r"mistral-7b-instruct-v0\.[23]": 32_768,
    r"mixtral-8x7b": 32_768,
    r"gemma-2-": 8192,
    r"gemma-3-(?:270m|1b)": 32_768,
    r"gemma-3-(?:4|12|27)b": 131_072,
    r"phi-4$": 16_384,
    r"gpt-oss-": 131_072,
}
# Bytes of a parameter by what the name says of its type.
_BYTES: Final = {
    r"fp4|int4|4bit|awq|gptq|w4a|q4": 0.5,
    r"fp8|int8|8bit|w8a|q8": 1.0,
    r"llama-|qwen[23]|mistral-7b|gemma-[23]": 2.0,
}
_LEAST_BYTES: Final = 0.25
_PARAMETERS: Final = re.compile(r"(?<![a-z0-9.])([0-9]+(?:\.[0-9]+)?)b(?![a-z0-9])")
_ROUNDED: Final = 0.9
"""Names round the number of parameters up by less than a tenth."""


def context(source: str) -> int | None:
    """Return the longest context of a repository's model; None where it is not known."""
    name = source.rpartition("/")[2].lower()
    return next((tokens for kind, tokens in _CONTEXTS.items() if re.search(kind, name)), None)


def weights_gib(source: str) -> float | None:
    """Return what the weights of a repository take at least; None where its name says nothing."""
    name = source.rpartition("/")[2].lower()
    found = _PARAMETERS.search(name)
    if found is None or source.startswith("gs://"):
        return None
    each = next((size for kind, size in _BYTES.items() if re.search(kind, name)), _LEAST_BYTES)
    return float(found[1]) * 1e9 * each * _ROUNDED / 2**30
