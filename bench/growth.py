"""A stack's config made larger, and what that costs: models, regions, pipelines and consumers."""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from bench.measure import Case, measure, say
from bench.stacks import write_recipe_of
from launcher.paths import ROOT, StackPaths

REGIONS = ("us-central1", "us-east4")


@dataclass(frozen=True)
class Size:
    """How many of each a stack has."""

    models: int
    regions: int = 1
    pipelines: int = 1
    consumers: int = 1
    teams: int = 0


SIZES = (
    *(Size(models) for models in (1, 10, 50, 100)),
    *(Size(models, 2) for models in (1, 10, 50, 100)),
    Size(100, 2, pipelines=20, consumers=10, teams=10),
    # About 5,000 resources.
    Size(150, 2, pipelines=20, consumers=10, teams=10),
)


def growth_figures(base: Path) -> list[dict[str, Any]]:
    """Return a first preview and up of dev with more and more of all."""
    document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        folder = base / "-".join(map(str, asdict(size).values()))
        folder.mkdir()
        places = StackPaths("dev", folder / "Pulumi.dev.yaml", folder / "home")
        larger = grown(document["config"], size)
        places.config.write_text(yaml.safe_dump({**document, "config": larger}))
        case = Case("dev", places.config, places.home, "preview")
        preview = measure(case)
        up = measure(replace(case, operation="up"))
        recipe = folder / "recipe.json"
        resources = write_recipe_of(places, recipe)
        bare = measure(replace(case, operation="up", home=folder / "bare", recipe=recipe))
        rows.append(
            {
                **asdict(size),
                "resources": resources,
                "preview": vars(preview),
                "up": vars(up),
                "ratio": round(up.seconds / bare.seconds, 2),
            }
        )
        say(f"growth: {rows[-1]}")
    return rows


def grown(config: Mapping[str, Any], size: Size) -> dict[str, Any]:
    """Return a copy of a `config` mapping with so many models, each in all regions, and the rest.

    GPU pools grow to hold them; address ranges follow from the position.
    """
    larger = copy.deepcopy(dict(config))
    for area, number in (("models", size.models), ("pipelines", size.pipelines)):
        name, entry = next(iter(larger[area].items()))
        # The first keeps its name: others in the config say it.
        names = (name, *(f"{name}-{index}" for index in range(1, number)))
        larger[area] = {each: copy.deepcopy(entry) for each in names}
    for pool in larger["gpu_pools"].values():
        pool["max_nodes"] = max(pool["max_nodes"], size.models)
    regions = REGIONS[: size.regions]
    larger["regions"] = {region: _ranges(index) for index, region in enumerate(regions)}
    larger["consumers"] = {
        f"apps-{number}" if number else "apps": {
            "subnets": {
                region: f"10.{200 + index}.{number}.0/24" for index, region in enumerate(regions)
            }
        }
        for number in range(size.consumers)
    }
    if size.teams:
        larger["teams"] = {f"team-{number}": {"gpus": size.models} for number in range(size.teams)}
        for index, model in enumerate(larger["models"].values()):
            model["team"] = f"team-{index % size.teams}"
    return larger


def _ranges(index: int) -> dict[str, str]:
    return {
        "nodes": f"10.{10 + index}.0.0/20",
        "pods": f"10.{64 + 4 * index}.0.0/14",
        "services": f"10.{10 + index}.32.0/20",
        "proxy_only": f"10.{10 + index}.48.0/23",
        "psc_nat": f"10.{10 + index}.50.0/24",
    }
