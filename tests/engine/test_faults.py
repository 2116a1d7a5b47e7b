"""What faults do to a run of the real engine: it fails, says what to do, and the next goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation

from catalog.by_type import short_name
from launcher import operations
from launcher.problem import LaunchError
from launcher.recovery import unrecorded
from sandbox.faults import known
from sandbox.world import LEFT, CloudResource, World
from tests.engine.conftest import Rehearsal
from tests.stacks import models_alone

MODELS = "dev with its models alone"
LLAMA = {
    "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
    "max_context": 8192,
    "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
}
MOST_RUNS = 40


def plan(stack: Rehearsal, *faults: dict[str, object]) -> None:
    stack.places.home.mkdir(exist_ok=True)
    stack.places.faults.write_text(yaml.safe_dump({"faults": list(faults)}))


def orphans(stack: Rehearsal) -> list[CloudResource]:
    with World(stack.places.world) as world:
        assert unrecorded(stack.places, world) == []
        return [each for each in world.all() if each.owner == LEFT]


def test_a_model_that_never_becomes_ready_is_waited_for_again(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    stack = brought_up(MODELS)
    stack.edit(lambda config: config["models"].update({"llama-3.2-1b": LLAMA}))
    plan(stack, {"fault": "never-ready", "name": "llama-3-2-1b*"})
    with pytest.raises(LaunchError, match=r"timed out waiting to be Ready") as told:
        operations.up(stack.places, skip_preview=True)
    assert "to do by hand, or by config:\n  llama-3-2-1b-l4-spot" in str(told.value)
    assert "kubectl describe pod" in str(told.value)
    kept = [each for each in stack.resources() if each.get("initErrors")]
    assert kept
    operations.up(stack.places, skip_preview=True)
    assert not [each for each in stack.resources() if each.get("initErrors")]
    assert orphans(stack) == []


def test_a_mistake_in_a_plan_stops_before_the_engine_starts(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    stack = rehearsal_of("dev")
    plan(stack, {"fault": "stokout"})
    with pytest.raises(LaunchError, match=r"faults\.yaml: faults\[0\]\.fault: found 'stokout'"):
        operations.preview(stack.places)
    assert not stack.places.checkpoint.exists()


@pytest.mark.matrix
def test_a_full_disk_is_named_and_the_next_run_goes_on(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=900k", "t", disk], check=False
    ).returncode:
        pytest.skip("NOT RUN: only root can mount a small disk")
    try:
        stack = Rehearsal("dev", disk)
        stack.edit(models_alone)
        with pytest.raises(LaunchError, match="disk is full") as told:
            operations.up(stack.places, skip_preview=True)
        assert "goes on once that is fixed" in str(told.value)
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        operations.up(stack.places, skip_preview=True)
        assert orphans(stack) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.matrix
@pytest.mark.parametrize("turn", range(4))
def test_a_stack_comes_up_though_each_type_is_befallen(
    turn: int,
    rehearsal_of: Callable[[str], Rehearsal],
    brought_up: Callable[[str], Rehearsal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = {each["urn"] for each in brought_up(MODELS).resources() if each.get("custom")}
    types = sorted({each["type"] for each in brought_up(MODELS).resources() if each.get("custom")})
    stack = rehearsal_of("dev")
    stack.config.write_text(brought_up(MODELS).config.read_text())
    plan(stack, *(_one(token, index + turn) for index, token in enumerate(types)))
    going_on = partialmethod(automation.Stack.up, continue_on_error=True)
    monkeypatch.setattr(automation.Stack, "up", going_on)
    told = ""
    for _ in range(MOST_RUNS):
        try:
            operations.up(stack.places, skip_preview=True)
            break
        except LaunchError as problem:
            told = str(problem)
            if "already exists" in told:
                _take_over(stack)
    else:
        pytest.fail(told)
    assert {each["urn"] for each in stack.resources() if each.get("custom")} == wanted
    _delete_by_hand(stack)
    assert orphans(stack) == []
    plan(stack)
    operations.destroy(stack.places)
    with World(stack.places.world) as world:
        assert world.all() == []


def _one(token: str, number: int) -> dict[str, object]:
    """Return a fault that can befall the creation of a type, by its number."""
    can = [each.name for each in known().values() if each.can_befall(token, "create")]
    return {"fault": can[number % len(can)], "type": token, "verb": "create"}


def _take_over(stack: Rehearsal) -> None:
    """Do as the message says: name what is there, and take it over."""
    named: dict[str, dict[str, str]] = {}
    for each in orphans(stack):
        key = short_name(each.type) if each.type.startswith("gcp:") else each.type
        named.setdefault(key, {})[each.urn.rpartition("::")[2]] = each.id
    stack.places.imports.write_text(yaml.safe_dump({"import": named}))
    with suppress(LaunchError):  # of another fault
        operations.take_over(stack.places)
    stack.places.imports.unlink()


def _delete_by_hand(stack: Rehearsal) -> None:
    """Delete what a provider has made twice."""
    held: set[Any] = {(each["type"], each.get("id")) for each in stack.resources()}
    with World(stack.places.world) as world:
        for each in world.all():
            if each.owner == LEFT and (each.type, each.id) not in held:
                world.remove(each.type, each.id, each.scope)
