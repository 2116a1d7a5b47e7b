"""What quota a stack needs, whether a project has it, and what a stockout does: `make capacity`."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

from cost.estimate import Estimate, estimate
from launcher.console import show
from launcher.paths import StackPaths, checked
from launcher.plan_report import planned
from launcher.problem import LaunchError
from launcher.report import capacity_table
from launcher.stockout import Stockout, consequences, stockout
from plans.capacity import Need, by_metric, needs
from resources.gpus import NODE_POOL
from resources.properties import text
from resources.resource import Resource


def capacity(places: StackPaths, cloud: str, out: str, limits: Path | None) -> None:
    """Print the quota needed, and what is asked about it.

    `limits` is what `gcloud compute regions list --format=json` prints. Raises LaunchError where a
    limit is below the minimum.
    """
    platform = checked(places)
    found = stockout(out, platform) if out else None
    held = limits_of(limits) if limits else None
    plan, *_ = planned(places, cloud)
    needed = needs(plan.after)
    show(f"\nQuota that {places.stack} needs:\n{capacity_table(needed, whole=True)}")
    if found:
        show(f"\nWithout {found.text}:")
        show("\n".join(f"  {line}" for line in consequences(found, platform)))
        show(f"  {_cost(plan.after, found)}")
    if held is not None:
        compare(by_metric(needed), held)


def _cost(resources: Iterable[Resource], found: Stockout) -> str:
    """Return what a month costs without the nodes that are out."""
    gone = {f"{pool}-{region}" for pool, region in found.left if found.is_out(pool, region)}
    every = list(resources)
    left = [
        each for each in every if not (each.type == NODE_POOL and text(each.props, "name") in gone)
    ]
    then, now = (estimate(some, today=date.today()) for some in (every, left))
    return (
        f"USD a month: {_bounds(now)} while it lasts, {_bounds(then)} otherwise (minimum,"
        " maximum; what moves is on top)"
    )


def _bounds(found: Estimate) -> str:
    return f"{found.minimum:,.0f} to {found.maximum:,.0f}"


def limits_of(file: Path) -> Mapping[tuple[str, str], float]:
    """Return the limits in a file. Raises LaunchError where it is no list of regions."""
    try:
        return limits_in(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise _no_limits(str(file), problem) from None


def limits_in(regions: Any) -> Mapping[tuple[str, str], float]:
    """Return the limits by region and metric. Raises LaunchError where it is no list of regions."""
    try:
        return {
            (str(region["name"]), str(each["metric"])): float(each["limit"])
            for region in cast("list[dict[str, Any]]", regions)[:]
            for each in region["quotas"]
        }
    except (ValueError, KeyError, TypeError) as problem:
        raise _no_limits("a list", problem) from None


def _no_limits(found: str, problem: Exception) -> LaunchError:
    return LaunchError(
        f"QUOTAS: found {found}, which can't be read ({problem!r}); allowed: what `gcloud"
        " compute regions list --format=json` prints"
    )


def compare(needed: Iterable[Need], held: Mapping[tuple[str, str], float]) -> None:
    """Print metrics whose limit is below the most. Raises LaunchError for those below the least."""
    few: list[str] = []
    for each in needed:
        limit = held.get((each.region, each.metric))
        if limit is None:
            continue
        most = each.least if each.most is None else each.most
        if limit < most:
            line = f"{each.region} {each.metric}: {limit:g} of {each.least:g} to {most:g}"
            show(f"below the worst case: {line}")
            if limit < each.least:
                few.append(line)
    if few:
        raise LaunchError(
            f"quota below the minimum: {'; '.join(few)}; ask for more, or lower"
            " replicas or min_nodes"
        )
