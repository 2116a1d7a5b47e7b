"""How many bytes the weights of a model take, by what its files say of their type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

_ALL: Final = frozenset({"attention", "dense", "experts"})
_WIDTHS: Final = {"float32": 4.0, "float8_e4m3fn": 1.0}

# Bytes of a parameter, its share of the scales included: one of 16 bits for 128 parameters of
# AWQ and GPTQ, one of 8 bits for 32 of MXFP4 and for 16 of NVFP4.
_INT4: Final = 0.5 + 2.5 / 128
SCHEMES: Final[Mapping[str, float]] = {
    "fp8": 1.0,
    "int8": 1.0,
    "int4": _INT4,
    "mxfp4": 0.5 + 1 / 32,
    "nvfp4": 0.5 + 1 / 16,
    "bitsandbytes": 0.5 + 1 / 64,
}
# What a repository's name calls them.
_NAMES: Final[Mapping[str, str]] = {
    "nvfp4": r"nvfp4",
    "mxfp4": r"mxfp4",
    "bitsandbytes": r"bnb|bitsandbytes",
    "int4": r"awq|int4|w4a16|4bit|gptq",
    "int8": r"int8|w8a8|w8a16|8bit",
    "fp8": r"fp8",
}
# What a list of parts that are not quantised says: of every layer, not of single ones.
_ATTENTION: Final = re.compile("attn")
_OTHER: Final = re.compile(r"vis|\.\d+\.")
_DENSE: Final = re.compile("^re:.*(shared_expert|mlp)")
WORD: Final = re.compile("|".join(_NAMES.values()))


@dataclass(frozen=True)
class Quantization:
    """Bytes of a parameter, for the parts of the model that are quantised and for the rest."""

    width: float = 2.0
    quantised: float = 2.0
    parts: frozenset[str] = frozenset()
    padded: bool = False
    """Whether vLLM pads the experts."""

    def bytes_of(self, part: str) -> float:
        """Return the bytes of a parameter of a part, such as attention or experts."""
        return self.quantised if part in self.parts else self.width


def scheme(name: str) -> str | None:
    """Return the scheme that a name or an option of vLLM means; None when it means none."""
    return next((key for key, words in _NAMES.items() if re.search(words, name.lower())), None)


def quantization(config: Mapping[str, Any]) -> Quantization:
    """Return how the weights that a config.json describes are kept."""
    width = _WIDTHS.get(str(config.get("torch_dtype") or config.get("dtype")), 2.0)
    given = config.get("quantization_config")
    if not isinstance(given, Mapping):
        return Quantization(min(width, 2.0))
    found = cast("Mapping[str, Any]", given)
    kept: list[str] = [
        each
        for key in ("ignore", "modules_to_not_convert", "exclude_modules")
        for each in found.get(key) or ()
    ]
    parts = set(_ALL)
    if any(_ATTENTION.search(each) and not _OTHER.search(each) for each in kept):
        parts.discard("attention")
    if any(_DENSE.search(each) for each in kept):
        parts.discard("dense")
    method = str(found.get("quant_method", ""))
    if method == "mxfp4":
        parts = {"experts"}
    if method == "fbgemm_fp8":
        parts.discard("attention")
    return Quantization(2.0, _bytes(method, found), frozenset(parts), padded=method == "mxfp4")


def _bytes(method: str, found: Mapping[str, Any]) -> float:
    groups: Mapping[str, Any] = found.get("config_groups") or {}
    weights = next((each["weights"] for each in groups.values()), found)
    bits = weights.get("num_bits") or weights.get("bits") or weights.get("w_bit")
    if bits is None:
        named = scheme(f"{method} {found.get('quant_algo', '')} {found.get('fmt', '')}")
        return SCHEMES[named] if named else 2.0
    group = weights.get("group_size") or 0
    return bits / 8 + (2.5 / group if group > 0 and bits < 8 else 0.0)
