"""A new version of a model takes over by config changes alone, and can go back at every step.

The steps are those of docs/rollouts.md. The order is read from what the engine printed, resource by
resource: a route may never name a pool that isn't there, and the old replica set is left alone.
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from config.examples import laid_over
from config.load import from_mapping
from launcher import operations
from launcher.paths import ROOT
from tests.engine.conftest import Rehearsal

ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
POOL = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
LINE = re.compile(r"^  (?P<sign>[+~±-]) +\d+  (?P<type>\S+)  (?P<name>\S+)", re.MULTILINE)
MODEL = "qwen3-4b"
BLOCK = re.compile(r"^ *```yaml\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)
OLD = {"node_pool": "l4-spot", "replicas": 1}
"""As Pulumi.dev.yaml has it: without a name, so with that of its GPU pool."""
NEW = {**OLD, "name": "green", "source": "Qwen/Qwen3-4B-Instruct-2507"}


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

    def apply(self, *, old: int | None = None, new: int | None = None) -> list[Step]:
        """Give each replica set its weight, remove others; return what was done, in order.

        Fails if, after any step, the route names a pool that isn't there.
        """

        def change(config: dict[str, Any]) -> None:
            config["models"][MODEL]["replica_sets"] = [
                {**each, "weight": weight}
                for each, weight in ((OLD, old), (NEW, new))
                if weight is not None
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
def dev(brought_up: Callable[[str], Rehearsal]) -> Rehearsal:
    """Return the models of dev as shipped, as every test but the last leaves them."""
    return brought_up("dev with its models alone")


@pytest.fixture
def rollout(dev: Rehearsal, capsys: pytest.CaptureFixture[str]) -> Rollout:
    return Rollout(dev, lambda: capsys.readouterr().out)


def test_a_new_version_takes_over_at_once_and_goes_back(rollout: Rollout) -> None:
    uids = rollout.uids()
    switched = rollout.apply(old=0, new=100)
    assert position(switched, "+", POOL) < position(switched, "~", ROUTE)
    assert of(switched, "4b-l4-spot") == []

    back = rollout.apply(old=100)
    assert position(back, "~", ROUTE) < position(back, "-", POOL)
    assert of(back, "4b-l4-spot") == []
    assert rollout.uids() == uids


def test_a_canary_grows_goes_back_and_takes_over(rollout: Rollout) -> None:
    uids = rollout.uids()

    ready = rollout.apply(old=100, new=0)
    assert of(ready, "4b-l4-spot") == []
    assert position(ready, "+", POOL) < position(ready, "~", ROUTE)
    assert {step.sign for step in ready} == {"+", "~"}

    only_the_route = [Step("~", ROUTE, "inference-us-central1-qwen3-4b-route")]
    assert rollout.apply(old=90, new=10) == only_the_route
    assert rollout.weights() == {"qwen3-4b-l4-spot": 90, "qwen3-4b-green": 10}
    assert rollout.apply(old=50, new=50) == only_the_route

    back = rollout.apply(old=100, new=0)
    assert back == only_the_route
    assert uids.items() <= rollout.uids().items()

    assert rollout.apply(old=0, new=100) == only_the_route
    gone = rollout.apply(new=100)
    assert position(gone, "~", ROUTE) < position(gone, "-", POOL)
    assert {step.sign for step in of(gone, "4b-l4-spot")} == {"-"}
    assert of(gone, "green") == []
    assert rollout.pools() == {"qwen3-4b-green"}


def blocks(page: str) -> list[tuple[str, Any]]:
    """Return the YAML blocks of a page, each with the stack whose file was named last before it."""
    found: list[tuple[str, Any]] = []
    for match in BLOCK.finditer(page):
        stack = re.findall(r"Pulumi[.](\w+)[.]yaml", page[: match.start()])[-1]
        found.append((stack, yaml.safe_load(textwrap.dedent(match["text"]))))
    return found


def test_each_block_of_the_guide_is_a_step_from_the_shipped_config() -> None:
    configs = {
        stack: yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
        for stack in ("dev", "prod")
    }
    (_, start), *steps = blocks((ROOT / "docs" / "rollouts.md").read_text())
    assert laid_over(configs["dev"], start) == configs["dev"]
    served: list[set[str]] = []
    for stack, block in steps:
        configs[stack] = laid_over(configs[stack], block)
        values = {key: each for key, each in configs[stack].items() if ":" not in key}
        platform = from_mapping(values, f"Pulumi.{stack}.yaml")
        (model,) = (platform.models[name] for name in block["models"])
        served.append({each.name for each in model.backends if each.weight})
    assert served == [
        *({"l4-spot"}, {"l4-spot", "green"}, {"green"}),
        *({"l4-spot"}, {"h100"}, {"h100"}, {"h100", "vertex"}),
    ]
