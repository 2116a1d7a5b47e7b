"""Makes a stack's config larger, one short entry per model."""

import copy
from collections.abc import Mapping
from typing import Any


def with_models(config: Mapping[str, Any], count: int) -> dict[str, Any]:
    """A copy of a `config` mapping with `count` models, the GPU pools grown to hold them."""
    grown = copy.deepcopy(dict(config))
    name, model = next(iter(grown["models"].items()))
    grown["models"] = {f"{name}-{number}": copy.deepcopy(model) for number in range(count)}
    for pool in grown["gpu_pools"].values():
        pool["max_nodes"] = max(pool["max_nodes"], count)
    return grown
