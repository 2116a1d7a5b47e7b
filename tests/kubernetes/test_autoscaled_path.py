"""Prod's autoscaler acts on what its replicas say; new ones are asked once they are loaded."""

import time
from collections.abc import Callable, Generator

import pytest

from emulator.gateway import autoscaling, serve
from emulator.gateway.autoscaling import follows_a_queue
from emulator.gateway.cluster import Cluster
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import Path, unlimited, until

LACKING = [*serve.missing(), *(() if autoscaling.CONTROLLER.exists() else ("controller manager",))]
SPEED = 60.0
QWEN = "qwen3-4b"
LEAST, MOST = 2, 4
MERGE_PATCH = "application/merge-patch+json"

pytestmark = pytest.mark.skipif(
    bool(LACKING),
    reason=f"NO AUTOSCALER ACTED: {', '.join(LACKING)} missing; `make test-kubernetes` builds it",
)


@pytest.fixture(scope="module")
def scaled(
    stacks: dict[str, list[Cluster]],
    brought_up: Callable[[str], Rehearsal],
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Path]:
    region = stacks["prod"][0]
    folder = tmp_path_factory.mktemp("gateway")
    with (
        World(brought_up("prod").places.world) as cloud,
        serve.serve(region, cloud, folder) as gateway,
    ):
        yield unlimited(Path("prod", region, gateway.client, gateway))


def test_a_queue_brings_replicas_that_answer_once_they_are_loaded(scaled: Path) -> None:
    first = scaled.behind(QWEN)
    assert len(first) == LEAST
    for each in first:
        each.speed, each.waiting = SPEED, 50
    began = time.monotonic()
    until(lambda: len(scaled.behind(QWEN)) == MOST)
    new = {each.pod for each in scaled.behind(QWEN)} - {each.pod for each in first}
    assert scaled.pods(QWEN) <= {each.pod for each in first}
    until(lambda: scaled.ask(QWEN).pod in new)
    assert time.monotonic() - began >= autoscaling.LOAD_SECONDS / SPEED
    scaled.gateway.check()


def test_nobody_scales_what_has_no_autoscaler(scaled: Path) -> None:
    for each in scaled.behind("llama-3.1-8b"):
        each.waiting = 50
    time.sleep(3)
    assert len(scaled.behind("llama-3.1-8b")) == LEAST


def test_replicas_that_nobody_needs_leave_without_a_failed_request(scaled: Path) -> None:
    (scaler,) = filter(follows_a_queue, scaled.cluster.of("HorizontalPodAutoscaler"))
    # The stack has them wait ten minutes, and go one by one.
    policies = [{"type": "Pods", "value": MOST, "periodSeconds": 1}]
    at_once = {"stabilizationWindowSeconds": 0, "policies": policies}
    told = {"spec": {"behavior": {"scaleDown": at_once}}}
    scaled.client.request("PATCH", scaled.client.path(scaler), told, MERGE_PATCH)
    until(lambda: len(scaled.behind(QWEN)) == MOST)
    for each in scaled.behind(QWEN):
        each.waiting = 0
    statuses: set[int] = set()

    def asked_until_they_left() -> bool:
        statuses.update(scaled.ask(QWEN).status for _ in range(5))
        return len(scaled.behind(QWEN)) == LEAST

    until(asked_until_they_left)
    statuses.update(scaled.ask(QWEN).status for _ in range(50))
    assert statuses == {200}
    scaled.gateway.check()
