"""The rollouts of docs/rollouts.md, and an upgrade of pickers and router, while requests come."""

import copy
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from emulator.gateway import serve
from emulator.gateway.changes import change
from emulator.gateway.cluster import Cluster, clusters
from launcher import operations
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import Path

MODEL = "qwen3-4b"
OLD = {"node_pool": "l4-spot", "replicas": 1}
NEW = {**OLD, "name": "green", "source": "Qwen/Qwen3-4B-Instruct-2507"}
CALLERS = 3

pytestmark = pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO ROLLOUT WAS SERVED: `make test-kubernetes` builds the programs, once",
)


class Rollout:
    """The models of dev, served while they change."""

    def __init__(self, stack: Rehearsal, path: Path) -> None:
        self.stack, self.path = stack, path

    def apply(self, *, old: int | None = None, new: int | None = None, **model: Any) -> None:
        """Give each replica set its weight, remove others; serve what an `up` makes of it."""

        def edit(config: dict[str, Any]) -> None:
            config["models"][MODEL] |= model
            config["models"][MODEL]["replica_sets"] = [
                {**each, "weight": weight}
                for each, weight in ((OLD, old), (NEW, new))
                if weight is not None
            ]

        self.stack.edit(edit)
        operations.up(self.stack.places, skip_preview=True)
        (after,) = clusters(self.stack.resources())
        change(self.path.gateway, after)

    def share(self, requests: int = 200) -> float:
        """Return the share of requests that the new replica set gets."""
        answers = [self.path.ask(MODEL) for _ in range(requests)]
        assert {each.status for each in answers} == {200}
        return sum("-green-" in each.pod for each in answers) / requests


@pytest.fixture(scope="module")
def rollout(
    brought_up: Callable[[str], Rehearsal], tmp_path_factory: pytest.TempPathFactory
) -> Generator[Rollout]:
    stack = brought_up("dev with its models alone")
    (cluster,) = clusters(stack.resources())
    folder = tmp_path_factory.mktemp("gateway")
    with (
        World(stack.places.world) as cloud,
        serve.serve(cluster, cloud, folder) as gateway,
    ):
        yield Rollout(stack, Path(cluster, gateway.client, gateway))


@contextmanager
def asked(path: Path) -> Generator[None]:
    """Ask all the time, whole answers and streamed ones. Fails if any request does."""
    ended, answers = threading.Event(), Counter[str]()

    def ask() -> None:
        for number in itertools.count():
            if ended.wait(0.01):
                return
            stream = bool(number % 2)
            try:
                answer = path.ask(MODEL, stream=stream)
                whole = not stream or answer.text.endswith("data: [DONE]\n\n")
                answers[f"{answer.status}{'' if whole else ' cut'}"] += 1
            except OSError as problem:
                answers[str(problem)] += 1

    threads = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in threads:
            each.join()
    assert answers.keys() == {"200"}, answers
    assert answers["200"] > 100


def test_a_canary_grows_goes_back_and_takes_over(rollout: Rollout) -> None:
    with asked(rollout.path):
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
    with asked(rollout.path):
        rollout.apply(old=0, new=100)
        rollout.apply(old=100, new=0)
        assert rollout.share() == 0
        rollout.apply(old=100)
        assert rollout.share() == 0
    assert not any("-green-" in pod for pod in rollout.path.gateway.replicas)
    rollout.path.gateway.check()


def test_a_picker_with_another_configuration_takes_over(rollout: Rollout) -> None:
    gateway = rollout.path.gateway
    (name,) = (each for each in gateway.workloads if each.endswith("-epp"))
    before = gateway.workloads[name]
    with asked(rollout.path):
        rollout.apply(old=100, flow_control=True)
    assert gateway.workloads[name] is not before
    assert before.program.process.poll() is not None
    gateway.check()


def test_pickers_and_router_are_upgraded(rollout: Rollout) -> None:
    gateway = rollout.path.gateway
    manifests = copy.deepcopy(gateway.cluster.manifests)
    after: Cluster = replace(gateway.cluster, manifests=manifests)
    for each in after.of("Deployment"):
        if each["metadata"]["name"] in gateway.workloads:
            each["spec"]["template"]["metadata"]["annotations"] = {"release": "another"}
    before = dict(gateway.workloads)
    assert len(before) == 2
    with asked(rollout.path):
        change(gateway, after)
        assert rollout.share() == 0
    assert all(gateway.workloads[name] is not each for name, each in before.items())
    gateway.check()
