"""A deployment that is refused says why, what it did before, and how to go on: all of it true."""

import itertools
import re
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from launcher import cli, operations
from launcher.paths import StackPaths
from launcher.recovery import unrecorded
from sandbox.errors import google
from sandbox.providers import gcp as google_cloud
from sandbox.world import World
from tests.engine.conftest import Rehearsal, until_programs_end
from tests.stacks import models_alone

pytestmark = pytest.mark.usefixtures("engine")

NOTHING = "nothing was made, changed or deleted"
FAILED_CREATE = "googleapi: Error 403: Quota 'ALL' exceeded"


@pytest.fixture
def stack(rehearsal_of: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    return named_dev(of_models(rehearsal_of), monkeypatch)


@pytest.fixture(scope="module")
def nothing_made(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    return of_models(rehearsal_of)


def of_models(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    """Return the models of dev alone: a refusal is the same for all else."""
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(models_alone)
    return rehearsal


@pytest.fixture
def stack_refused(nothing_made: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """Return one that is refused by each test, leaves nothing, and goes on after the last."""
    return named_dev(nothing_made, monkeypatch)


@pytest.fixture
def stack_there(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch
) -> Rehearsal:
    """Return what an `up` has made already."""
    return named_dev(brought_up("dev with its models alone"), monkeypatch)


def named_dev(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    """Give the command line this stack for its dev."""

    def stack_paths(_: str) -> StackPaths:
        return rehearsal.places

    monkeypatch.setattr(cli, "stack_paths", stack_paths)
    return rehearsal


def refused(stack: Rehearsal, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the message an `up` ends with; what it says was done is what the sandbox cloud
    holds."""
    before = made(stack)
    assert cli.main(["up", "--stack", "dev"]) == 1
    until_programs_end()
    message = capsys.readouterr().err
    assert message.startswith("error: up of dev failed:\n  - ")
    assert "Traceback" not in message
    found = re.search(r"done before that: (\d+) made", message)
    assert (NOTHING in message) == (found is None)
    assert (int(found[1]) if found else 0) == made(stack) - before
    return message


def made(stack: Rehearsal) -> int:
    with World(stack.places.world) as world:
        return sum(each.owner == "pulumi" for each in world.all())


def goes_on(stack: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["up", "--stack", "dev", "--skip-preview"]) == 0
    assert cli.main(["preview", "--stack", "dev"]) == 0
    assert "Nothing changes." in capsys.readouterr().out


def at_create(monkeypatch: pytest.MonkeyPatch, first: int, act: Callable[[], None]) -> None:
    """Act before every resource the cloud makes, from the given one on."""
    count = itertools.count(1)
    check = google_cloud.check_enabled

    def checked(wanted: Any) -> None:
        if next(count) >= first:
            act()
        check(wanted)

    monkeypatch.setattr(google_cloud, "check_enabled", checked)


def refuse() -> None:
    raise google(403, "Quota 'ALL' exceeded", "quotaExceeded")


def kill_the_engine() -> None:
    for child in psutil.Process().children(recursive=True):
        if child.name() == "pulumi":
            child.kill()


def test_the_cloud_refuses_the_first_resource(
    stack_refused: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_refused
    with monkeypatch.context() as patch:
        at_create(patch, 1, refuse)
        message = refused(stack, capsys)
    assert FAILED_CREATE in message
    assert f"{NOTHING}: fix that, then run `make up STACK=dev` again" in message


def test_a_policy_refuses_a_resource(
    stack_refused: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_refused
    stack.limit("scale-gpu-types-allowed", gpuTypes=[])
    message = refused(stack, capsys)
    pool = "l4-spot-us-central1-pool (gcp:container/nodePool:NodePool)"
    assert f"\n  - scale-gpu-types-allowed: {pool}: " in message
    assert f"\n{NOTHING}: fix that, then run `make up STACK=dev` again\n" in message
    assert message.endswith("\n  scale-gpu-types-allowed: level, gpuTypes\n")
    stack.limit("scale-gpu-types-allowed", gpuTypes=["nvidia-l4"])


def test_a_policy_refuses_the_stack_as_a_whole(
    stack_refused: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_refused
    stack.limit("scale-gpu-total", maxGpus=0)
    message = refused(stack, capsys)
    assert "\n  - scale-gpu-total: The stack: may take 2 GPUs, allowed 0" in message
    assert NOTHING in message
    assert cli.main(["preview", "--stack", "dev"]) == 1
    until_programs_end()
    assert "\nnothing was changed\n" in capsys.readouterr().err
    stack.limit("scale-gpu-total", maxGpus=4)


def test_the_program_fails_before_the_first_resource(
    stack_refused: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_refused

    def broken() -> None:
        raise ValueError("no such thing")

    with monkeypatch.context() as patch:
        patch.setattr(operations, "platform_program", broken)
        message = refused(stack, capsys)
    assert "a defect of the program at tests/engine/test_refused.py:" in message
    assert "ValueError: no such thing" in message


def test_a_stack_that_was_refused_so_often_goes_on(
    stack_refused: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    goes_on(stack_refused, capsys)


def test_the_cloud_refuses_one_in_the_middle(
    stack: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        at_create(patch, 40, refuse)
        message = refused(stack, capsys)
    assert FAILED_CREATE in message
    assert f"The state ({stack.places.state}) knows of it; nothing is lost" in message
    assert "`make up STACK=dev` goes on once that is fixed" in message
    with World(stack.places.world) as world:
        assert unrecorded(stack.places, world) == []
    goes_on(stack, capsys)


def test_a_change_that_is_refused_leaves_what_was_there(
    stack_there: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_there
    there = made(stack)
    stack.limit("scale-gpu-total", maxGpus=0)
    assert NOTHING in refused(stack, capsys)
    assert made(stack) == there


def test_objects_that_name_what_is_not_there_end_with_an_error_and_stay(
    stack_there: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = stack_there
    with World(stack.places.world) as world:
        pool = next(each for each in world.all() if each.type.endswith(":InferencePool"))
        world.remove(*pool.key)
    there = made(stack)
    assert cli.main(["up", "--stack", "dev"]) == 1
    message = capsys.readouterr().err
    assert "what they name isn't there" in message
    assert "nothing is lost: fix that, then run `make up` again" in message
    assert made(stack) == there


def test_an_engine_that_is_killed_loses_nothing(
    stack: Rehearsal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        at_create(patch, 40, kill_the_engine)
        message = refused(stack, capsys)
    assert "  - the engine was ended from outside (signal 9)\n" in message
    assert "the next run takes them up; nothing is lost" in message
    goes_on(stack, capsys)


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(28, "No space left on device"), "error: No space left on device; fix"),
        (KeyError("x"), "error: a defect of the program at tests/engine/test_refused.py:"),
    ],
)
def test_what_nobody_foresaw_is_one_message_too(
    problem: Exception,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: StackPaths, **_options: bool) -> None:
        raise problem

    monkeypatch.setitem(operations.OPERATIONS, "up", fail)
    assert cli.main(["up", "--stack", "dev"]) == 1
    message = capsys.readouterr().err
    assert message.startswith(said)
    assert len(message.splitlines()) == 1


def test_a_stack_stays_in_its_project(
    stack_there: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    before = stack_there.places.checkpoint.read_bytes()
    stack_there.edit(lambda config: config["project"].update(id="acme-other-dev"))
    for operation in ("preview", "up"):
        assert cli.main([operation, "--stack=dev"]) == 1
        told = capsys.readouterr().err
        assert "project.id: found acme-other-dev" in told
        assert "made in acme-inference-dev" in told
        assert "`make new ENV=<name>`" in told
    assert stack_there.places.checkpoint.read_bytes() == before
