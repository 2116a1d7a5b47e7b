"""A new version of a model takes over by config changes alone, and can go back at every step.

The steps are those of docs/rollouts.md. The order is read from what the engine printed, resource by
resource: a route may never name a pool that isn't there, and the old replica set is left alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from launcher import operations
from tests.engine.conftest import Rehearsal

ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
POOL = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
LINE = re.compile(r"^  (?P<sign>[+~±-]) +\d+  (?P<type>\S+)  (?P<name>\S+)", re.MULTILINE)
MODEL = "qwen3-4b"
SOURCES = {"blue": "Qwen/Qwen3-4B", "green": "Qwen/Qwen3-4B-Instruct-2507"}


@dataclass(frozen=True)
class Step:
    """One resource the engine was done with."""

    sign: str
    type: str
    name: str


@dataclass
class Rollout:
    """The environment during a rollout."""

    rehearsal: Rehearsal
    printed: Callable[[], str]

    def apply(self, **weights: int) -> list[Step]:
        """Give each replica set its weight, remove the others; return what was done, in order.

        Fails if, after any step, the route names a pool that isn't there.
        """

        def change(config: dict[str, Any]) -> None:
            config["models"][MODEL]["replica_sets"] = [
                {
                    "name": name,
                    "node_pool": "l4-spot",
                    "replicas": 1,
                    "weight": weight,
                    "source": SOURCES[name],
                }
                for name, weight in weights.items()
            ]

        pools, wanted = self.pools(), self.weights()
        self.rehearsal.edit(change)
        self.printed()
        operations.up(self.rehearsal.places, skip_preview=True)
        steps = [Step(**found.groupdict()) for found in LINE.finditer(self.printed())]
        for step in steps:
            if step.type == ROUTE:
                wanted = self.weights()
            elif step.type == POOL and step.sign == "+":
                pools |= {self.pool_named(step.name)}
            elif step.type == POOL and step.sign == "-":
                pools -= {self.pool_named(step.name)}
            assert wanted.keys() <= pools, (step, steps)
        return steps

    def pool_named(self, resource: str) -> str:
        """Return the pool of a resource such as inference-us-central1-<pool>-pool."""
        return resource.removeprefix("inference-us-central1-").removesuffix("-pool")

    def pools(self) -> set[str]:
        """Return the pools that are there."""
        return {pool["inputs"]["metadata"]["name"] for pool in self.of_type(POOL)}

    def weights(self) -> dict[str, int]:
        """Return the weight of each pool that the model's route names."""
        return {
            backend["name"]: backend["weight"]
            for route in self.of_type(ROUTE)
            for backend in route["inputs"]["spec"]["rules"][0]["backendRefs"]
        }

    def uids(self) -> dict[str, str]:
        """Return the identity of each Deployment: another one after a replacement."""
        return {
            each["inputs"]["metadata"]["name"]: each["outputs"]["metadata"]["uid"]
            for each in self.of_type(DEPLOYMENT)
        }

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        """Return the resources of a type, none before the first run."""
        if not self.rehearsal.places.checkpoint.exists():
            return []
        return self.rehearsal.resources(type_)


def of(steps: list[Step], name: str) -> list[Step]:
    return [step for step in steps if f"-{name}-" in f"-{step.name}-"]


def position(steps: list[Step], sign: str, type_: str) -> int:
    (found,) = [i for i, step in enumerate(steps) if (step.sign, step.type) == (sign, type_)]
    return found


@pytest.fixture(scope="module")
def dev(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    """Return one stack with a single replica set, as every test but the last leaves it."""
    rehearsal = rehearsal_of("dev")
    Rollout(rehearsal, lambda: "").apply(blue=100)
    return rehearsal


@pytest.fixture
def rollout(dev: Rehearsal, capsys: pytest.CaptureFixture[str]) -> Rollout:
    return Rollout(dev, lambda: capsys.readouterr().out)


def test_a_new_version_takes_over_at_once_and_goes_back(rollout: Rollout) -> None:
    uids = rollout.uids()
    switched = rollout.apply(blue=0, green=100)
    assert position(switched, "+", POOL) < position(switched, "~", ROUTE)
    assert of(switched, "blue") == []

    back = rollout.apply(blue=100)
    assert position(back, "~", ROUTE) < position(back, "-", POOL)
    assert of(back, "blue") == []
    assert rollout.uids() == uids


def test_a_canary_grows_goes_back_and_takes_over(rollout: Rollout) -> None:
    uids = rollout.uids()

    ready = rollout.apply(blue=100, green=0)
    assert of(ready, "blue") == []
    assert position(ready, "+", POOL) < position(ready, "~", ROUTE)
    assert {step.sign for step in ready} == {"+", "~"}

    only_the_route = [Step("~", ROUTE, "inference-us-central1-qwen3-4b-route")]
    assert rollout.apply(blue=90, green=10) == only_the_route
    assert rollout.weights() == {"qwen3-4b-blue": 90, "qwen3-4b-green": 10}
    assert rollout.apply(blue=50, green=50) == only_the_route

    back = rollout.apply(blue=100, green=0)
    assert back == only_the_route
    assert uids.items() <= rollout.uids().items()

    assert rollout.apply(blue=0, green=100) == only_the_route
    gone = rollout.apply(green=100)
    assert position(gone, "~", ROUTE) < position(gone, "-", POOL)
    assert {step.sign for step in of(gone, "blue")} == {"-"}
    assert of(gone, "green") == []
    assert rollout.pools() == {"qwen3-4b-green"}
