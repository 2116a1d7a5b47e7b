"""How long an update would take, at least and at most: an estimate from catalog/durations.yaml."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, Final

import yaml

import catalog
from catalog.words import plural
from plans.plan import Plan, Step
from resources.properties import get

_FILE: Final = Path(catalog.__file__).with_name("durations.yaml")
_SECONDS: Final = (0.05, 0.2)
"""Minutes of what the table doesn't list."""
_CALLS: Final[Mapping[str, Sequence[str]]] = {
    "create": ("create",),
    "update": ("update",),
    "delete": ("delete",),
    "replace": ("delete", "create"),
    "import": ("update",),
}


@dataclass(frozen=True)
class Times:
    """Minutes from the beginning: when a step is begun and ended, at least and at most."""

    begin: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Link:
    """A slow step of the chain, and what it would gain not to wait for the slow one before it."""

    step: Step
    waits_for: Step | None
    gain: float
    """Minutes by which the whole would end earlier, at most."""


@dataclass(frozen=True)
class Duration:
    """The minutes of an update, and the chain of steps that it waits for."""

    least: float
    most: float
    chain: tuple[Step, ...]
    steps: Mapping[str, Times]
    waits: Mapping[str, frozenset[str]]

    @property
    def links(self) -> tuple[Link, ...]:
        """The chain with what each wait costs."""
        lengths = {urn: (t.end[0] - t.begin[0], t.end[1] - t.begin[1]) for urn, t in self._items}
        pairs = zip((None, *self.chain), self.chain, strict=False)
        return tuple(
            Link(step, before, self._gain(step, before, lengths) if before else 0.0)
            for before, step in pairs
        )

    @property
    def _items(self) -> Iterable[tuple[str, Times]]:
        return self.steps.items()

    def _gain(self, step: Step, before: Step, lengths: Mapping[str, tuple[float, float]]) -> float:
        """Return what it would gain if a step waited neither for another nor for what does."""
        behind = {before.urn}
        for urn in self.steps:  # in the order in which they can be done
            if self.waits[urn] & behind:
                behind.add(urn)
        waits = {**self.waits, step.urn: self.waits[step.urn] - behind}
        return self.most - _ends(_times(waits, lengths))[1]


@cache
def _table() -> Mapping[str, Any]:
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def as_of() -> str:
    """Return the date of the table."""
    return str(_table()["as_of"])


def duration(plan: Plan) -> Duration:
    """Return the estimate; steps begin when all that they need is done.

    What is deleted goes last, what needs it before it, as the engine does it.
    """
    changing = {each.urn: each for each in plan.changes}
    waits = _waits(plan, changing)
    times = _times(waits, {urn: _minutes(step) for urn, step in changing.items()})
    least, most = _ends(times)
    chain: list[Step] = []
    current = max(times, key=lambda urn: times[urn].end[1], default="")
    while current:
        chain.insert(0, changing[current])
        # Of what is in a circle, each is begun at once.
        earlier = {each for each in waits[current] if times[each].end[1] <= times[current].begin[1]}
        current = max(earlier, key=lambda need: times[need].end[1], default="")
    slow = tuple(each for each in chain if _minutes(each)[1] > _SECONDS[1])
    return Duration(least, most, slow, times, waits)


def makespan(found: Duration, parallel: int) -> tuple[float, float]:
    """Return the minutes, at least and at most, if only so many steps are done at once."""
    least, most = (_makespan(found, parallel, side) for side in (0, 1))
    return least, most


def _makespan(found: Duration, parallel: int, side: int) -> float:
    """Begin each step as soon as its turn comes, in the order in which steps became ready."""
    graph = TopologicalSorter(found.waits)
    graph.prepare()
    waiting, running, now = deque(graph.get_ready()), list[tuple[float, str]](), 0.0
    while waiting or running:
        while waiting and len(running) < parallel:
            urn = waiting.popleft()
            times = found.steps[urn]
            heappush(running, (now + times.end[side] - times.begin[side], urn))
        now, ended = heappop(running)
        graph.done(ended)
        waiting.extend(graph.get_ready())
    return now


def _waits(plan: Plan, changing: Mapping[str, Step]) -> Mapping[str, frozenset[str]]:
    """Return what each step waits for: through those that stay, too."""
    needs = {urn: _needs(plan, urn, changing) for urn in changing}
    going = {urn for urn, each in changing.items() if each.operation == "delete"}
    waits = {urn: set[str]() for urn in going}
    for urn, several in needs.items():
        if urn not in going:
            waits[urn] = several - going
        for each in several & going if urn in going else ():
            waits[each].add(urn)
    needed = {each for urn in changing.keys() - going for each in waits[urn]}
    last = changing.keys() - going - needed
    for urn in going:
        if not waits[urn]:
            waits[urn] = set(last)
    return {urn: frozenset(each) for urn, each in waits.items()}


def _times(
    waits: Mapping[str, frozenset[str]], minutes: Mapping[str, tuple[float, float]]
) -> dict[str, Times]:
    """Return when each step begins and ends, in an order in which they can be done."""
    times: dict[str, Times] = {}
    try:
        order = list(TopologicalSorter(waits).static_order())
    except CycleError:
        order = list(waits)
    for urn in order:
        known = [times[need].end for need in waits[urn] if need in times]
        begin = (
            max((each[0] for each in known), default=0.0),
            max((each[1] for each in known), default=0.0),
        )
        least, most = minutes[urn]
        times[urn] = Times(begin, (begin[0] + least, begin[1] + most))
    return times


def _ends(times: Mapping[str, Times]) -> tuple[float, float]:
    return (
        max((each.end[0] for each in times.values()), default=0.0),
        max((each.end[1] for each in times.values()), default=0.0),
    )


def _needs(plan: Plan, urn: str, changing: Mapping[str, Step]) -> set[str]:
    """Return what a step needs of those that change: through those that stay, too."""
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
    """Return what the calls of a step take, one after the other: a replacement has two."""
    awaited = not _is_not_awaited(step)
    row: Mapping[str, Any] = _table()["minutes"].get(step.type, {}) if awaited else {}
    calls = [tuple(row.get(call, _SECONDS)) for call in _CALLS[step.operation]]
    return sum(each[0] for each in calls), sum(each[1] for each in calls)


def _is_not_awaited(step: Step) -> bool:
    """Return whether an object of Kubernetes says that nobody waits until it works."""
    resource = step.after or step.before
    inputs = resource.inputs if resource else {}
    return get(inputs, "metadata", "annotations", "pulumi.com/skipAwait") == "true"


def format_minutes(least: float, most: float) -> str:
    """Return a span as text."""
    if most < 1:
        return "less than a minute"
    low, high = max(1, round(least)), max(1, round(most))
    return f"{low} to {high} minutes" if low != high else plural(high, "minute")
