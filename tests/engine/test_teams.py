"""A model that gets a team moves into its namespace while the old one still answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from launcher import operations
from sandbox.world import World
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
POOL = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
MODEL = "qwen3-4b"
STEP = re.compile(r"^  (?P<sign>[+~±-]) +\d+  (?P<type>\S+)  (?P<name>\S+)", re.MULTILINE)


def _gets_a_team(config: dict[str, Any]) -> None:
    config["teams"] = {"search": {"gpus": 4}}
    config["models"][MODEL]["team"] = "search"


def _places(stack: Rehearsal, kind: str) -> set[str]:
    with World(stack.places.world) as world:
        return {each.id for each in world.by_type(kind)}


def test_a_model_gets_a_team(
    brought_up: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    stack = brought_up("dev")
    before = _places(stack, ROUTE)
    assert all(each.startswith("inference/") for each in before)
    stack.edit(_gets_a_team)
    capsys.readouterr()
    operations.up(stack.places)
    printed = capsys.readouterr().out
    assert _places(stack, ROUTE) == {each.replace("/", "-search/", 1) for each in before}
    assert all(each.startswith("inference-search/") for each in _places(stack, POOL))
    signs = [(each["sign"], each["type"]) for each in STEP.finditer(printed)]
    # The listener takes both, the new route is there, and only then anything goes.
    first_gone = next(place for place, (sign, _) in enumerate(signs) if sign == "-")
    assert signs.index(("~", GATEWAY)) < signs.index(("+", ROUTE)) < first_gone
