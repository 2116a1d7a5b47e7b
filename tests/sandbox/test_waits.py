"""Each wait of dev and prod is needed: the cloud refuses without it, or a table says why it stays.

What a resource takes a value of, it can't be made without; those waits prove themselves.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from launcher.engine_events import dependencies_of
from sandbox.values import Value, as_list, as_map
from tests.sandbox.fault_drive import Drive

if TYPE_CHECKING:
    from sandbox.world import CloudResource
    from tests.engine.conftest import Rehearsal

ANY: Final = "*"
PARTS: Final = re.compile(r"[/:@\[\],?=\s]")
SHORTEST: Final = 4
"""Characters of a value that tells where it comes from."""
Wait = tuple[str, str]
Row = tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def found(
    brought_up: Callable[[str], Rehearsal], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Wait, str]:
    """Return the waits that only a table can explain: what waits for what, with an example."""
    waits: dict[Wait, str] = {}
    for stack in ("dev", "prod"):
        places = brought_up(stack).places
        drive = Drive.of(places.world, places.checkpoint, tmp_path_factory.mktemp(stack))
        with closing(drive.world):
            waits |= unexplained(drive, Graph(drive, brought_up(stack).deployment()["resources"]))
    return waits


@pytest.fixture(scope="module")
def rows() -> Sequence[Row]:
    """Return the table, each row as what waits and for what."""
    table = yaml.safe_load(Path(__file__).with_name("waits.yaml").read_text(encoding="utf-8"))
    return [(row["waits"], row["for"]) for row in table if row["why"]]


def test_each_wait_is_needed_or_has_its_reason(
    found: Mapping[Wait, str], rows: Sequence[Row]
) -> None:
    without = [f"{wait}: {example}" for wait, example in found.items() if not of(wait, rows)]
    assert without == []


def test_each_reason_is_of_waits_that_are_there(
    found: Mapping[Wait, str], rows: Sequence[Row]
) -> None:
    for waiting, awaited in rows:
        mine = [wait for wait in found if (waiting, awaited) in of(wait, rows)]
        assert {waits for waits, _ in mine} >= set(waiting) - {ANY}, waiting
        assert {other for _, other in mine} == set(awaited), awaited


def test_the_cloud_refuses_what_comes_before_what_it_needs(
    brought_up: Callable[[str], Rehearsal], tmp_path: Path
) -> None:
    places = brought_up("dev").places
    drive = Drive.of(places.world, places.checkpoint, tmp_path)
    with closing(drive.world):
        for each in drive.follow():
            if each.type == "gcp:pubsub/subscription:Subscription" and "push" in each.id:
                topic = [it for it in drive.world.all() if it.id == each.inputs["topic"]]
                assert "was not found" in drive.refusal(each, topic)
                assert drive.refusal(each, ()) == ""


class Graph:
    """Who waits for whom, by URN, without what another wait implies."""

    def __init__(self, drive: Drive, resources: Iterable[Mapping[str, Any]]) -> None:
        self._recorded = {each["urn"]: each for each in resources}
        self.made = {each.urn: each for each in drive.made}
        self._needs = {urn: set(self._direct(urn)) for urn in self.made}
        self._above: dict[str, set[str]] = {}
        self._below: dict[str, set[str]] = defaultdict(set)
        for urn in self.made:
            for other in self._ancestors(urn):
                self._below[other].add(urn)

    def awaited(self, urn: str) -> Iterator[str]:
        needs = self._needs[urn]
        for other in sorted(needs):
            if not any(other in self._ancestors(third) for third in needs - {other}):
                yield other

    def with_all_that_need(self, urn: str) -> set[str]:
        return {urn, *self._below[urn]}

    def _direct(self, urn: str) -> Iterator[str]:
        """Yield what a resource needs, through components and providers."""
        for other in dependencies_of(self._recorded[urn]):
            if other in self.made:
                yield other
            elif other in self._recorded and other != urn:
                yield from self._direct(other)

    def _ancestors(self, urn: str) -> set[str]:
        if urn not in self._above:
            found = set(self._needs[urn])
            for other in self._needs[urn]:
                found |= self._ancestors(other)
            self._above[urn] = found
        return self._above[urn]


def unexplained(drive: Drive, graph: Graph) -> Mapping[Wait, str]:
    """Return the waits that the cloud doesn't ask for and that no value explains."""
    known, waits = holders(drive), dict[Wait, str]()
    there: set[str] = set()
    for each in drive.follow():
        for urn in graph.awaited(each.urn):
            awaited, gone = graph.made[urn], graph.with_all_that_need(urn)
            wait = (each.type, awaited.type)
            if wait in waits or takes_a_value(each, awaited, known, gone):
                continue
            if not drive.refusal(each, [graph.made[one] for one in gone & there]):
                waits[wait] = f"{name_of(each)} for {name_of(awaited)}"
        there.add(each.urn)
    return waits


def holders(drive: Drive) -> Mapping[str, set[str]]:
    """Return whose outputs hold each value, by value."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in drive.made:
        for part in offered(each):
            found[part].add(each.urn)
    return found


def takes_a_value(
    each: CloudResource, awaited: CloudResource, known: Mapping[str, set[str]], gone: set[str]
) -> bool:
    """Return whether an input has a value that only the other resource can have given."""
    given = list(texts(each.inputs))
    own = (part for part in offered(awaited) if len(part) >= SHORTEST and known[part] <= gone)
    return any(part in text for part in own for text in given)


def offered(each: CloudResource) -> set[str]:
    values = {each.id, *texts(each.outputs)}
    return {part for value in values for part in (value, *PARTS.split(value))}


def texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in (*as_list(value), *as_map(value).values()):
        yield from texts(inner)


def of(wait: Wait, rows: Sequence[Row]) -> list[Row]:
    waits, other = wait
    return [row for row in rows if {waits, ANY} & set(row[0]) and other in row[1]]


def name_of(each: CloudResource) -> str:
    return each.urn.rpartition("::")[2]
