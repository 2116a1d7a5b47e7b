"""How long an update would take, at least and at most: an estimate from catalog/durations.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Final

import yaml

import catalog
from plans.plan import Plan, Step

_FILE: Final = Path(catalog.__file__).with_name("durations.yaml")
_SECONDS: Final = (0.05, 0.2)
"""Minutes of what the table doesn't list."""
_BOTH: Final = ("replace",)
"""What deletes and makes."""


@dataclass(frozen=True)
class Times:
    """Minutes from the beginning: when a step is begun and ended, at least and at most."""

    begin: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Duration:
    """The minutes of an update, and the chain of steps that it waits for."""

    least: float
    most: float
    chain: tuple[Step, ...]
    steps: Mapping[str, Times]


@cache
def _table() -> Mapping[str, Any]:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def as_of() -> str:
    """Return the date of the table."""
    return str(_table()["as_of"])


def duration(plan: Plan) -> Duration:
    """Return the estimate; steps begin when all that they need is done."""
    changing = {each.urn: each for each in plan.changes}
    needs = {urn: _needs(plan, urn, changing) for urn in changing}
    times: dict[str, Times] = {}
    before: dict[str, str] = {}
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError:
        order = list(changing)
    for urn in order:
        known = [need for need in needs[urn] if need in times]
        slowest = max(known, key=lambda need: times[need].end[1], default="")
        begin = (
            max((times[need].end[0] for need in known), default=0.0),
            max((times[need].end[1] for need in known), default=0.0),
        )
        least, most = _minutes(changing[urn])
        times[urn] = Times(begin, (begin[0] + least, begin[1] + most))
        before[urn] = slowest
    last = max(times, key=lambda urn: times[urn].end[1], default="")
    chain: list[Step] = []
    current = last
    while current:
        chain.insert(0, changing[current])
        current = before[current]
    return Duration(
        max((each.end[0] for each in times.values()), default=0.0),
        max((each.end[1] for each in times.values()), default=0.0),
        tuple(each for each in chain if each.type in _table()["minutes"]),
        times,
    )


def _needs(plan: Plan, urn: str, changing: Mapping[str, Step]) -> set[str]:
    """Return what a step waits for: through those that stay, too."""
    found: set[str] = set()
    seen = {urn}
    waiting = [urn]
    while waiting:
        for each in plan.needs.get(waiting.pop(), ()):
            if each in seen:
                continue
            seen.add(each)
            if each in changing:
                found.add(each)
            else:
                waiting.append(each)
    return found


def _minutes(step: Step) -> tuple[float, float]:
    least, most = _table()["minutes"].get(step.type, _SECONDS)
    times = 2 if step.operation in _BOTH else 1
    return least * times, most * times


def format_minutes(least: float, most: float) -> str:
    """Return a span as text."""
    if most < 1:
        return "less than a minute"
    low, high = max(1, round(least)), max(1, round(most))
    return f"{low} minutes" if low == high else f"{low} to {high} minutes"
