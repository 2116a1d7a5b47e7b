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
    pairs = [(a.seconds, b.seconds) for a, b in zip(without, judged, strict=True)]
    return {
        "seconds": statistics.median(a for a, _ in pairs),
        "with_packs_seconds": statistics.median(b for _, b in pairs),
        "added_seconds": round(statistics.median(b - a for a, b in pairs), 2),
        "added_percent": round(statistics.median((b / a - 1) * 100 for a, b in pairs), 1),
        "with_packs_peak_mib": statistics.median(figure.peak_mib for figure in judged),
    }


def _growth(state: Path) -> list[dict[str, Any]]:
    # In a process of its own, whose memory is the packs' alone.
    command = [sys.executable, "-m", "bench.policies", str(state)]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
