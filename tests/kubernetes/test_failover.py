"""Both regions of prod behind the load balancer of its consumer: one is lost, requests go on."""

import copy
import os
import re
import signal
import time
import urllib.error
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from emulator.gateway import serve
from emulator.gateway.cluster import Cluster
from emulator.gateway.frontend import before, frontends
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import Path, unlimited
from tests.kubernetes.served import pod_asked, said_until, served

MODEL = "llama-3.1-8b"
NEAREST, OTHER = "us-central1", "us-east4"
IN_A_ROW = 5
LEFT_OUT_SECONDS = 30
"""Both as the stack's backend service has them."""

pytestmark = pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO REGION WAS LOST: `make test-kubernetes` builds the programs, once",
)


@dataclass
class Regions:
    """What a consumer asks, and the paths behind it."""

    asked: Path
    nearest: Path
    other: Path

    def region(self) -> str:
        """Return where the next request is answered, or the status of its failure."""
        answer = self.asked.ask(MODEL)
        if answer.status != 200:
            return str(answer.status)
        return next(each for each in (NEAREST, OTHER) if each in answer.pod)


@pytest.fixture(scope="module")
def regions(
    stacks: dict[str, list[Cluster]],
    brought_up: Callable[[str], Rehearsal],
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Regions]:
    with World(brought_up("prod").places.world) as cloud, ExitStack() as running:
        paths: list[Path] = []
        for cluster in stacks["prod"]:
            folder = tmp_path_factory.mktemp(cluster.name)
            gateway = running.enter_context(serve.serve(cluster, cloud, folder))
            paths.append(unlimited(Path("prod", cluster, gateway.client, gateway)))
        (apps,) = frontends(cloud)
        assert (apps.consumer, apps.regions) == ("apps", [NEAREST, OTHER])
        folder = tmp_path_factory.mktemp("consumer") / "frontend"
        front = running.enter_context(before(apps, [each.gateway for each in paths], folder))
        first, second = paths
        seen = copy.copy(first.gateway)
        seen.url, seen.certificate = front.url, front.certificate
        yield Regions(Path("prod", first.cluster, first.client, seen), first, second)


def test_the_nearest_region_answers(regions: Regions) -> None:
    assert {regions.region() for _ in range(10)} == {NEAREST}


def test_a_region_whose_answers_fail_is_left_out_for_a_while(regions: Regions) -> None:
    pool = regions.nearest.behind(MODEL)
    for each in pool:
        each.fails = True
    began = time.monotonic()
    assert [regions.region() for _ in range(IN_A_ROW)] == ["500"] * IN_A_ROW
    assert {regions.region() for _ in range(10)} == {OTHER}
    for each in pool:
        each.fails = False
    while regions.region() == OTHER:
        time.sleep(0.5)
    assert time.monotonic() - began > LEFT_OUT_SECONDS - 1
    assert {regions.region() for _ in range(10)} == {NEAREST}


def test_one_failing_model_among_others_takes_no_region_away(regions: Regions) -> None:
    pool = regions.nearest.behind(MODEL)
    for each in pool:
        each.fails = True
    for _ in range(2 * IN_A_ROW):
        assert regions.asked.ask("qwen3-4b").pod.startswith("qwen3-4b-l4-us-central1")
        assert regions.region() == "500"
    for each in pool:
        each.fails = False
    assert regions.region() == NEAREST


def test_a_lost_region_costs_a_few_requests(regions: Regions) -> None:
    # Of the last of the file: the region stays away.
    envoy, *_ = regions.nearest.gateway.programs
    envoy.stop()
    found = [regions.region() for _ in range(4 * IN_A_ROW)]
    assert found == ["503"] * IN_A_ROW + [OTHER] * 3 * IN_A_ROW
    regions.other.gateway.check()


def test_serve_says_how_to_lose_a_region_and_bears_it(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    with served(brought_up("prod"), "--consumer", "apps") as process:
        said = said_until(process, "requests, until Ctrl-C")
        assert NEAREST in pod_asked(said, MODEL)
        envoy = re.search(rf"to lose {NEAREST}: kill (\d+)", said)
        assert envoy
        os.kill(int(envoy[1]), signal.SIGTERM)
        found: list[str] = []
        while not found or found[-1] == "503":
            try:
                found.append(pod_asked(said, MODEL))
            except urllib.error.HTTPError as refusal:
                found.append(str(refusal.code))
        assert len(found) <= IN_A_ROW + 1
        assert OTHER in found[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
