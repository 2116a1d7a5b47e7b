"""`python -m bench`: the figures as a table on standard error and as JSON on standard output."""

import itertools
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bench.bare import write_recipe
from bench.growth import grown
from bench.measure import Case, Figure, measure
from sandbox.launcher.places import ROOT

STACKS = ("dev", "prod")
MODELS = (1, 10, 50, 100)
REGIONS = (1, 2)
RUNS = 3


def main() -> None:
    """Measures every stack, then the growth by models and regions."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        report: dict[str, Any] = {stack: stack_figures(stack, base) for stack in STACKS}
        report["growth"] = growth_figures(base)
    _say(table(report))
    json.dump(report, sys.stdout, indent=2)
    print()


def table(report: dict[str, Any]) -> str:
    """The figures in columns: seconds, peak MiB and the ratio to the bare program."""
    lines = [f"{'':<16}{'platform':>18}{'bare':>18}{'ratio':>8}"]
    for stack in STACKS:
        for operation in ("preview", "up"):
            figures = report[stack][operation]
            ours, bare = (
                f"{figures[who]['seconds']:.1f} s {figures[who]['peak_mib']:.0f} MiB"
                for who in ("platform", "bare")
            )
            lines.append(f"{stack + ' ' + operation:<16}{ours:>18}{bare:>18}{figures['ratio']:>8}")
    lines += [
        f"{row['models']:>3} models x {row['regions']}: {row['resources']} resources,"
        f" preview {row['preview']['seconds']:.1f} s,"
        f" up {row['up']['seconds']:.1f} s {row['up']['peak_mib']:.0f} MiB, ratio {row['ratio']}"
        for row in report["growth"]
    ]
    return "\n".join(lines)


def stack_figures(stack: str, base: Path) -> dict[str, Any]:
    """Up and preview of one stack: the platform, a bare program of its resources, the ratio."""
    config = ROOT / f"Pulumi.{stack}.yaml"
    home = base / stack / "made"
    measure(Case(stack, config, home, "up"))
    recipe = base / stack / "recipe.json"
    figures: dict[str, Any] = {"resources": write_recipe(_deployment(stack, home), recipe)}
    for operation in ("preview", "up"):
        ours: list[Figure] = []
        bare: list[Figure] = []
        for run in range(RUNS):
            # In turn, so that a machine whose speed drifts is fair to both.
            ours.append(_fresh(stack, config, base, operation, None))
            bare.append(_fresh(stack, config, base, operation, recipe))
            _say(f"{stack} {operation} {run + 1}/{RUNS}: {ours[-1]} bare {bare[-1]}")
        figures[operation] = {
            "platform": _middle(ours),
            "bare": _middle(bare),
            "ratio": round(
                statistics.median(a.seconds / b.seconds for a, b in zip(ours, bare, strict=True)), 2
            ),
        }
    with_packs = measure(Case(stack, config, home, "preview", policies=True))
    figures["unchanged_preview_with_policies"] = vars(with_packs)
    _say(f"{stack}: {json.dumps(figures)}")
    return figures


def growth_figures(base: Path) -> list[dict[str, Any]]:
    """A first preview and up of dev with more and more models and regions."""
    document = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    rows: list[dict[str, Any]] = []
    for regions, models in itertools.product(REGIONS, MODELS):
        folder = base / f"models-{models}-{regions}"
        folder.mkdir()
        config = folder / "Pulumi.dev.yaml"
        larger = grown(document["config"], models, regions)
        config.write_text(yaml.safe_dump({**document, "config": larger}))
        case = Case("dev", config, folder / "home", "preview")
        preview = measure(case)
        up = measure(replace(case, operation="up"))
        recipe = folder / "recipe.json"
        resources = write_recipe(_deployment("dev", folder / "home"), recipe)
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
        _say(f"growth: {rows[-1]}")
    return rows


def _deployment(stack: str, home: Path) -> dict[str, Any]:
    state = home / "state" / ".pulumi" / "stacks" / "inference" / f"{stack}.json"
    return json.loads(state.read_text())["checkpoint"]["latest"]


def _fresh(stack: str, config: Path, base: Path, operation: str, recipe: Path | None) -> Figure:
    home = base / stack / "run"
    shutil.rmtree(home, ignore_errors=True)
    return measure(Case(stack, config, home, operation, recipe))


def _middle(figures: Sequence[Figure]) -> dict[str, float]:
    return {
        "seconds": statistics.median(figure.seconds for figure in figures),
        "peak_mib": statistics.median(figure.peak_mib for figure in figures),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
