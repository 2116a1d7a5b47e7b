"""What the policy packs add to an unchanged preview of prod, and how their time grows."""

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.measure import Case, Figure, measure, say
from bench.stacks import RUNS, made
from launcher.paths import ROOT


def policies_figures(base: Path) -> dict[str, Any]:
    """Return previews with and without the packs, by turns; then the packs alone, by resources."""
    places = made("prod", base)
    case = Case("prod", places.config, places.home, "preview")
    without: list[Figure] = []
    judged: list[Figure] = []
    for run in range(RUNS):
        without.append(measure(case))
        judged.append(measure(replace(case, policies=True)))
        say(f"prod unchanged preview {run + 1}/{RUNS}: {without[-1]} with packs {judged[-1]}")
    return {
        "unchanged_preview": added(without, judged),
        "growth": _growth(places.checkpoint),
    }


def added(without: Sequence[Figure], judged: Sequence[Figure]) -> dict[str, float]:
    """Return medians of both and of what each pair of runs differs by, in seconds and percent."""
    return {
        **_added("seconds", [each.seconds for each in without], [each.seconds for each in judged]),
        **_added(
            "cpu_seconds",
            [each.cpu_seconds for each in without],
            [each.cpu_seconds for each in judged],
        ),
        "with_packs_peak_mib": statistics.median(figure.peak_mib for figure in judged),
    }


def _added(name: str, without: Sequence[float], judged: Sequence[float]) -> dict[str, float]:
    pairs = list(zip(without, judged, strict=True))
    return {
        name: statistics.median(without),
        f"with_packs_{name}": statistics.median(judged),
        f"added_{name}": round(statistics.median(b - a for a, b in pairs), 2),
        f"added_{name.replace('seconds', 'percent')}": round(
            statistics.median((b / a - 1) * 100 for a, b in pairs), 1
        ),
    }


def _growth(state: Path) -> list[dict[str, Any]]:
    # In a process of its own, whose memory is the packs' alone.
    command = [sys.executable, "-m", "bench.policies", str(state)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
