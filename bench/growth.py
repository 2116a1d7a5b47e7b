"""Makes a stack's config larger, one short entry per model and per region."""

import copy
from collections.abc import Mapping
from typing import Any

REGIONS = ("us-central1", "us-east4")


def grown(config: Mapping[str, Any], models: int, regions: int) -> dict[str, Any]:
    """A copy of a `config` mapping with `models` models, each in `regions` regions.

    GPU pools grow to hold them; address ranges follow from the region's position.
    """
    larger = copy.deepcopy(dict(config))
    name, model = next(iter(larger["models"].items()))
    larger["models"] = {f"{name}-{number}": copy.deepcopy(model) for number in range(models)}
    for pool in larger["gpu_pools"].values():
        pool["max_nodes"] = max(pool["max_nodes"], models)
    larger["regions"] = {region: _ranges(index) for index, region in enumerate(REGIONS[:regions])}
    larger["consumers"] = {
        "apps": {
            "subnets": {
                region: f"10.{200 + index}.0.0/24" for index, region in enumerate(REGIONS[:regions])
            }
        }
    }
    return larger


def _ranges(index: int) -> dict[str, str]:
    return {
        "nodes": f"10.{10 + index}.0.0/20",
        "pods": f"10.{64 + 4 * index}.0.0/14",
        "services": f"10.{10 + index}.32.0/20",
        "proxy_only": f"10.{10 + index}.48.0/23",
        "psc_nat": f"10.{10 + index}.50.0/24",
    }
