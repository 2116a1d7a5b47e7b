"""Models without a replica get one when they are asked, and none once nobody asks any more."""

import time
from collections.abc import Callable, Generator

import pytest

from emulator.gateway import autoscaling, serve
from emulator.gateway.autoscaling import follows_a_queue
from emulator.gateway.cluster import clusters
from emulator.gateway.model_servers import Replica
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import Path, until

LACKING = [*serve.missing(), *(() if autoscaling.CONTROLLER.exists() else ("controller manager",))]
SPEED = 60.0
HELD, REFUSED = "qwen3-4b", "llama-3.2-1b"
MERGE_PATCH = "application/merge-patch+json"

pytestmark = pytest.mark.skipif(
    bool(LACKING),
    reason=f"NO AUTOSCALER ACTED: {', '.join(LACKING)} missing; `make test-kubernetes` builds it",
)


@pytest.fixture(scope="module")
def idle(
    brought_up: Callable[[str], Rehearsal], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Path]:
    stack = brought_up("dev with idle models")
    (region,) = clusters(stack.resources())

    def tune(replica: Replica) -> None:
        replica.speed = SPEED

    folder = tmp_path_factory.mktemp("gateway")
    with (
        World(stack.places.world) as cloud,
        serve.serve(region, cloud, folder, tune=tune) as gateway,
    ):
        yield Path("dev", region, gateway.client, gateway)


def test_the_last_replica_goes_while_nobody_asks(idle: Path) -> None:
    # Each began with one, and the stack has it wait ten minutes.
    assert {each.model for each in idle.gateway.replicas.values()} == {HELD, REFUSED}
    at_once = {"stabilizationWindowSeconds": 0}
    told = {"spec": {"behavior": {"scaleDown": at_once}}}
    for scaler in filter(follows_a_queue, idle.cluster.of("HorizontalPodAutoscaler")):
        idle.client.request("PATCH", idle.client.path(scaler), told, MERGE_PATCH)
    until(lambda: not idle.gateway.replicas)


def test_the_first_request_waits_for_the_replica_that_it_brings(idle: Path) -> None:
    assert not idle.gateway.replicas
    began = time.monotonic()
    assert idle.ask(HELD, key=None).status == 200
    assert time.monotonic() - began >= autoscaling.LOAD_SECONDS / SPEED
    (replica,) = idle.gateway.replicas.values()
    assert replica.model == HELD
    idle.gateway.check()


def test_without_flow_control_it_is_refused_until_the_replica_is_there(idle: Path) -> None:
    assert idle.ask(REFUSED, key=None).status == 503
    until(lambda: idle.ask(REFUSED, key=None).status == 200)
