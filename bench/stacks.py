"""Previews and updates of the shipped stacks, against a bare program of the same resources."""

import json
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.bare import write_recipe
from bench.measure import Case, Figure, measure, say
from launcher.paths import ROOT, StackPaths

STACKS = ("dev", "prod")
RUNS = 3


def stacks_figures(base: Path) -> dict[str, Any]:
    """Preview and up of every stack: the platform, the bare program, the ratio."""
    return {stack: _figures(stack, base) for stack in STACKS}


def made(stack: str, base: Path) -> StackPaths:
    """Return the places of a stack, brought up below `base` when it isn't yet."""
    places = StackPaths(stack, ROOT / f"Pulumi.{stack}.yaml", base / stack / "made")
    if not places.checkpoint.exists():
        measure(Case(stack, places.config, places.home, "up"))
    return places


def write_recipe_of(places: StackPaths, recipe: Path) -> int:
    """Write a bare program's recipe of what a stack has; return how many resources that is."""
    state: dict[str, Any] = json.loads(places.checkpoint.read_text())
    return write_recipe(state["checkpoint"]["latest"], recipe)


def _figures(stack: str, base: Path) -> dict[str, Any]:
    places = made(stack, base)
    recipe = base / stack / "recipe.json"
    figures: dict[str, Any] = {"resources": write_recipe_of(places, recipe)}
    for operation in ("preview", "up"):
        ours: list[Figure] = []
        bare: list[Figure] = []
        for run in range(RUNS):
            # In turn, so that a machine whose speed drifts is fair to both.
            ours.append(_fresh(places, base, operation, None))
            bare.append(_fresh(places, base, operation, recipe))
            say(f"{stack} {operation} {run + 1}/{RUNS}: {ours[-1]} bare {bare[-1]}")
        figures[operation] = {
            "platform": _middle(ours),
            "bare": _middle(bare),
            "ratio": round(
                statistics.median(a.seconds / b.seconds for a, b in zip(ours, bare, strict=True)), 2
            ),
        }
    return figures


def _fresh(places: StackPaths, base: Path, operation: str, recipe: Path | None) -> Figure:
    home = base / places.stack / "run"
    shutil.rmtree(home, ignore_errors=True)
    return measure(Case(places.stack, places.config, home, operation, recipe))


def _middle(figures: Sequence[Figure]) -> dict[str, float]:
    return {
        "seconds": statistics.median(figure.seconds for figure in figures),
        "peak_mib": statistics.median(figure.peak_mib for figure in figures),
    }
