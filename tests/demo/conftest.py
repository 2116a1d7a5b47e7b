"""A stack the real engine made on the sandbox cloud, and worlds to change of it."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from emulator.messages.broker import Broker
from emulator.messages.store import Store
from launcher import operations
from sandbox.world import World
from tests.demo.clock import ManualClock
from tests.demo.worlds import small_world
from tests.engine.conftest import ENGINE, Rehearsal


@pytest.fixture(scope="session")
def made(brought_up: Callable[[str], Rehearsal]) -> Rehearsal:
    """Return the dev stack with its one pipeline alone, once for all tests."""
    if not ENGINE.exists():
        pytest.fail("the Pulumi engine isn't set up: run `make setup`", pytrace=False)
    return brought_up("dev with its pipeline alone")


@pytest.fixture(autouse=True)
def no_request_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the path to large models to `tests/kubernetes/test_demo.py`: it takes its time."""
    monkeypatch.setattr(operations, "show_path", Mock())


@pytest.fixture
def whole(made: Rehearsal, tmp_path: Path) -> Path:
    """Return a folder with a world of the stack's own resources, to change as one likes."""
    folder = tmp_path / "home"
    shutil.copytree(made.places.state, folder / "state")
    shutil.copyfile(made.places.world, folder / "world.db")
    return folder


@pytest.fixture
def home(whole: Path) -> Path:
    """Return the same without what trains the pipeline's model."""
    with World(whole / "world.db") as opened:
        for each in opened.all():
            if re.search("sentiment[-_](training|models|labels|steps)", each.id):
                opened.remove(*each.key)
    return whole


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world.db") as opened:
        small_world(opened)
        yield opened


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def open_broker(world: World, clock: ManualClock, tmp_path: Path) -> Iterator[Callable[[], Broker]]:
    """Open the broker of the world's file, again and again."""
    opened: list[Store] = []

    def open_one() -> Broker:
        opened.append(Store(tmp_path / "messages.db"))
        return Broker(world, opened[-1], clock)

    yield open_one
    for store in opened:
        store.close()
