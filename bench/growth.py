"""A stack's config made larger, one short entry per model and per region, and what that costs."""

import copy
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bench.measure import Case, measure, say
from bench.stacks import write_recipe_of
from launcher.paths import ROOT, StackPaths

MODELS = (1, 10, 50, 100)
REGIONS = ("us-central1", "us-east4")


def growth_figures(base: Path) -> list[dict[str, Any]]:
    """Return a first preview and up of dev with more and more models and regions."""
    document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    rows: list[dict[str, Any]] = []
    for regions, models in itertools.product(range(1, len(REGIONS) + 1), MODELS):
        folder = base / f"models-{models}-{regions}"
        folder.mkdir()
        places = StackPaths("dev", folder / "Pulumi.dev.yaml", folder / "home")
        larger = grown(document["config"], models, regions)
        places.config.write_text(yaml.safe_dump({**document, "config": larger}))
        case = Case("dev", places.config, places.home, "preview")
        preview = measure(case)
        up = measure(replace(case, operation="up"))
        recipe = folder / "recipe.json"
        resources = write_recipe_of(places, recipe)
        bare = measure(replace(case, operation="up", home=folder / "bare", recipe=recipe))
        rows.append(
            {
                "models": models,
                "regions": regions,
                "resources": resources,
                "preview": vars(preview),
                "up": vars(up),
                "ratio": round(up.seconds / bare.seconds, 2),
            }
        )
        say(f"growth: {rows[-1]}")
    return rows


def grown(config: Mapping[str, Any], models: int, regions: int) -> dict[str, Any]:
    """Return a copy of a `config` mapping with `models` models, each in `regions` regions.

    GPU pools grow to hold them; address ranges follow from the region's position.
    """
    larger = copy.deepcopy(dict(config))
    name, model = next(iter(larger["models"].items()))
    # The first keeps its name: others in the config say it.
    names = (name, *(f"{name}-{number}" for number in range(1, models)))
    larger["models"] = {each: copy.deepcopy(model) for each in names}
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
