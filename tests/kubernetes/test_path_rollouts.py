"""The rollouts of docs/rollouts.md, while requests come."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
import yaml

from emulator.gateway import serve
from emulator.gateway.changes import change
from emulator.gateway.cluster import clusters
from launcher import operations
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import STACKS, Path, asked_all_the_time, unlimited

MODEL = "qwen3-4b"
NEW = {"name": "green", "source": "Qwen/Qwen3-4B-Instruct-2507"}

pytestmark = pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO ROLLOUT WAS SERVED: `make test-kubernetes` builds the programs, once",
)


class Rollout:
    """The models of a stack, served while they change."""

    def __init__(self, stack: Rehearsal, path: Path) -> None:
        self.stack, self.path = stack, path
        models = yaml.safe_load(stack.config.read_text())["config"]["models"]
        (self._old,) = models[MODEL]["replica_sets"]
        self._new = NEW | {key: self._old[key] for key in ("node_pool", "replicas")}

    def apply(self, *, old: int | None = None, new: int | None = None, **model: Any) -> None:
        """Give each replica set its weight, remove others; serve what an `up` makes of it."""

        def edit(config: dict[str, Any]) -> None:
            config["models"][MODEL] |= model
            config["models"][MODEL]["replica_sets"] = [
                {**each, "weight": weight}
                for each, weight in ((self._old, old), (self._new, new))
                if weight is not None
            ]

        self.stack.edit(edit)
        operations.up(self.stack.places, skip_preview=True)
        after, *_ = clusters(self.stack.resources())
        change(self.path.gateway, after)

    def share(self, requests: int = 200) -> float:
        """Return the share of requests that the new replica set gets."""
        answers = [self.path.ask(MODEL) for _ in range(requests)]
        assert {each.status for each in answers} == {200}
        return sum("-green-" in each.pod for each in answers) / requests


@pytest.fixture(scope="module", params=STACKS)
def rollout(
    request: pytest.FixtureRequest,
    brought_up: Callable[[str], Rehearsal],
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[Rollout]:
    stack = brought_up(f"{request.param} with its models alone")
    cluster, *_ = clusters(stack.resources())
    folder = tmp_path_factory.mktemp("gateway")
    with (
        World(stack.places.world) as cloud,
        serve.serve(cluster, cloud, folder) as gateway,
    ):
        path = unlimited(Path(request.param, cluster, gateway.client, gateway))
        yield Rollout(stack, path)


def test_a_canary_grows_goes_back_and_takes_over(rollout: Rollout) -> None:
    with asked_all_the_time(rollout.path, MODEL):
        rollout.apply(old=100, new=0)
        assert rollout.share() == 0
        rollout.apply(old=90, new=10)
        # Five standard deviations of a binomial distribution around a tenth, and a half.
        assert 0 < rollout.share() < 0.21
        rollout.apply(old=50, new=50)
        assert 0.32 < rollout.share() < 0.68
        rollout.apply(old=100, new=0)
        assert rollout.share() == 0
        rollout.apply(old=0, new=100)
        assert rollout.share() == 1
        rollout.apply(new=100)
        assert rollout.share() == 1
    assert all("-green-" in pod for pod in rollout.path.gateway.replicas)
    rollout.path.gateway.check()


def test_all_at_once_and_back(rollout: Rollout) -> None:
    with asked_all_the_time(rollout.path, MODEL):
        rollout.apply(old=0, new=100)
        rollout.apply(old=100, new=0)
        assert rollout.share() == 0
        rollout.apply(old=100)
        assert rollout.share() == 0
    assert not any("-green-" in pod for pod in rollout.path.gateway.replicas)
    rollout.path.gateway.check()


def test_a_picker_with_another_configuration_takes_over(rollout: Rollout) -> None:
    gateway = rollout.path.gateway
    name = f"{rollout.path.pool(MODEL)}-epp"
    before = gateway.workloads[name]
    with asked_all_the_time(rollout.path, MODEL):
        rollout.apply(old=100, flow_control=True)
    assert gateway.workloads[name] is not before
    assert before.program.process.poll() is not None
    gateway.check()
