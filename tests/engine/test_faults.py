"""What faults do to a run of the real engine: it fails, says what to do, and the next goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from launcher import operations
from launcher.problem import LaunchError
from launcher.recovery import unrecorded
from sandbox.world import LEFT, CloudResource, World
from tests.engine.conftest import Rehearsal
from tests.stacks import models_alone

MODELS = "dev with its models alone"
LLAMA = {
    "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
    "max_context": 8192,
    "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
}


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
