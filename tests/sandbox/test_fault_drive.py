"""Every kind of call of dev, befallen by every fault: another run reaches the wanted state.

`make test-faults` has every call of dev and prod.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sandbox.faults import known
from tests.sandbox.fault_drive import AGAIN, RIDDEN, TAKEN, TWICE, Drive

if TYPE_CHECKING:
    from tests.engine.conftest import Rehearsal


@pytest.fixture(scope="module")
def drive(
    brought_up: Callable[[str], Rehearsal], tmp_path_factory: pytest.TempPathFactory
) -> Drive:
    places = brought_up("dev").places
    return Drive.of(places.world, places.checkpoint, tmp_path_factory.mktemp("drive"))


def test_after_any_fault_another_run_reaches_the_wanted_state(drive: Drive) -> None:
    one_of_each = {each.type: each.urn for each in drive.made}
    with closing(drive.world):
        rows = drive.run(list(one_of_each.values()))
    outcomes = Counter(each.outcome for each in rows)
    assert outcomes.keys() >= {RIDDEN, AGAIN, TAKEN, TWICE}
    assert {each.fault for each in rows} == known().keys()
    told = [each.told for each in rows if each.outcome in {TAKEN, TWICE}]
    assert all("make import" in each or "delete" in each for each in told)


def test_what_the_provider_never_asks_again_for_fails_the_run(drive: Drive) -> None:
    for each in drive.rows:
        if each.fault in {"quota", "in-use", "webhook-not-ready", "never-ready"}:
            assert each.outcome == AGAIN, each
        if each.fault == "unavailable":
            asked_again = each.type.startswith("gcp:")
            assert each.outcome == (RIDDEN if asked_again else AGAIN), each
