"""What all tests share."""

import gc
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.engine.conftest import Rehearsal

# As in a program of the platform: the SDKs are a large heap that lives as long as the process.
gc.set_threshold(200_000)

# A slow machine is no failure: speed is measured by the benchmark. A run is repeatable, so that a
# change is judged by what it changed; `pytest --hypothesis-profile search` looks for new examples.
settings.register_profile("search", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

LONGEST = ("test_every_option.py", "engine", "kubernetes")
"""Files and folders that take longest: with these first, the processes of a run end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        names = (item.path.name, item.path.parent.name)
        return next((i for i, each in enumerate(LONGEST) if each in names), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def brought_up(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], Rehearsal]":
    """Give a copy, to change as one likes, of what `up` made of a variant in tests/stacks.py."""
    # Pulumi is no business of the services' tests.
    from tests.stacks import copy_of

    base = tmp_path_factory.getbasetemp()
    # Workers of one run have their folders side by side.
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "stacks"
    shared.mkdir(exist_ok=True)
    return lambda variant: copy_of(variant, shared, tmp_path_factory.mktemp("copy"))
