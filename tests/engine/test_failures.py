"""What goes wrong at the terminal ends in one message and a non-zero exit, and nothing is lost."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from catalog.config_folder import VARIABLE
from launcher import cli, operations
from launcher.paths import ROOT, StackPaths
from launcher.plan_report import report
from launcher.problem import LaunchError
from launcher.recovery import restore_state
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.stacks import models_alone

LAUNCHER = [sys.executable, "-m", "launcher"]
PATIENCE_SECONDS = 120


def environment(sandbox: Path) -> dict[str, str]:
    """Of a command whose sandbox is in this folder, with its temporary files and its config."""
    temporary = sandbox / "temporary"
    temporary.mkdir(exist_ok=True)
    return {
        **os.environ,
        VARIABLE: str(config_of(sandbox)),
        "INFERENCE_SANDBOX": str(sandbox),
        "TMPDIR": str(temporary),
    }


def config_of(sandbox: Path) -> Path:
    """Return a folder with the shipped config, of whose dev the models are left alone."""
    folder = sandbox / "config"
    if not folder.exists():
        folder.mkdir()
        (folder / "policies").symlink_to(ROOT / "policies")
        for file in ROOT.glob("Pulumi.*.yaml"):
            shutil.copyfile(file, folder / file.name)
        Rehearsal("dev", folder).edit(models_alone)
    return folder


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start an operation on dev as a terminal does: in a process group of its own.

    An `up` makes resources at once: what its preview finds is none of the matters here.
    """
    running: list[subprocess.Popen[str]] = []

    def start(operation: str = "up") -> subprocess.Popen[str]:
        at_once = ["--skip-preview"] if operation == "up" else []
        process = subprocess.Popen(
            [*LAUNCHER, operation, "--stack", "dev", *at_once],
            cwd=ROOT,
            env={**environment(tmp_path), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def kill(process: subprocess.Popen[str]) -> None:
    """Kill an operation and its engine at once, and wait until neither runs."""
    started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    killed = [each for each in started if os.getpgid(each.pid) == process.pid]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while any(runs(each) for each in killed):
        time.sleep(0.01)


def runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(*arguments: str, sandbox: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LAUNCHER, *arguments],
        cwd=ROOT,
        env=environment(sandbox),
        capture_output=True,
        text=True,
        check=False,
    )


def in_this_process(sandbox: Path) -> StackPaths:
    """Return the places of a command whose sandbox is in this folder."""
    return StackPaths("dev", config_of(sandbox) / "Pulumi.dev.yaml", sandbox / "dev")


def nothing_is_left_to_do(places: StackPaths, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    operations.preview(places)
    assert capsys.readouterr().out.count("Nothing changes.") == 1


def read_until(process: subprocess.Popen[str], steps: int, mark: str = "  + ") -> str:
    """Read the progress until `steps` resources were made, or what else the mark stands for."""
    assert process.stdout is not None
    seen: list[str] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    for line in process.stdout:
        seen.append(line)
        if sum(text.startswith(mark) for text in seen) >= steps:
            return "".join(seen)
        assert time.monotonic() < deadline, "".join(seen)
    pytest.fail("up ended too early:\n" + "".join(seen))


def test_a_stack_without_a_config_file_is_named_with_those_that_have_one(tmp_path: Path) -> None:
    result = run("up", "--stack", "prd", sandbox=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: no stack named 'prd' (did you mean prod?)")
    assert "dev, estate, mlops, prod" in result.stderr
    assert "Traceback" not in result.stderr


def test_destroying_what_was_never_made_says_so(tmp_path: Path) -> None:
    result = run("destroy", "--stack", "dev", sandbox=tmp_path)
    assert result.returncode == 1
    assert "isn't there on the sandbox cloud: nothing is deleted" in result.stderr


@pytest.mark.parametrize("arguments", [["preview"], ["up", "--cloud", "gcp"]])
def test_only_up_on_the_sandbox_may_leave_out_its_preview(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([*arguments, "--skip-preview"])
    assert "--skip-preview: found beside another operation" in capsys.readouterr().err


def test_a_bad_config_stops_before_the_engine_starts(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(lambda config: config.update(nodes=3))
    with pytest.raises(LaunchError, match=r"Pulumi\.dev\.yaml: nodes: "):
        operations.preview(rehearsal.places)
    assert not rehearsal.places.checkpoint.exists()


def test_a_state_that_a_first_run_left_empty_holds_nothing(tmp_path: Path) -> None:
    places = StackPaths("dev", tmp_path / "Pulumi.dev.yaml", tmp_path)
    places.checkpoint.parent.mkdir(parents=True)
    # What a full disk left: the engine's copy of before the first run.
    places.checkpoint.write_text(
        '{"version": 0, "checkpoint": {"stack": "organization/inference/dev"}}'
    )
    assert places.recorded() == []


def test_a_half_written_state_goes_back_to_the_run_before(
    brought_up: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsal = brought_up("dev")
    state = rehearsal.places.checkpoint
    state.write_text(state.read_text()[:1000])
    operations.up(rehearsal.places, skip_preview=True)
    assert "the state was half written" in capsys.readouterr().err
    operations.preview(rehearsal.places)
    assert "Nothing changes." in capsys.readouterr().out


@pytest.mark.parametrize(
    "written",
    [
        {"hello": 1},
        [],
        {"checkpoint": {"latest": {"resources": [{"urn": "urn:a"}]}}},
        {"checkpoint": {"latest": {"resources": [{"urn": "a", "type": "t", "parent": "b"}]}}},
    ],
    ids=["of something else", "a list", "a resource without its type", "without a parent"],
)
def test_a_state_that_is_none_goes_back_to_the_run_before(written: object, tmp_path: Path) -> None:
    places = StackPaths("dev", tmp_path / "Pulumi.dev.yaml", tmp_path)
    places.checkpoint.parent.mkdir(parents=True)
    before = {"checkpoint": {"latest": {"resources": [{"urn": "a", "type": "t"}]}}}
    places.checkpoint.with_name("dev.json.bak").write_text(json.dumps(before))
    places.checkpoint.write_text(json.dumps(written))
    (told,) = restore_state(places)
    assert "went back to the run before" in told
    assert json.loads(places.checkpoint.read_text()) == before
    assert places.unsettled.exists()


def test_a_state_of_another_version_says_which_program_opens_it(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    rehearsal = brought_up("dev with its models alone")
    state = json.loads(rehearsal.places.checkpoint.read_text())
    rehearsal.places.checkpoint.write_text(json.dumps({**state, "version": 99}))
    with pytest.raises(LaunchError, match=r"version 99\n(.*\n)*another version of the engine"):
        operations.preview(rehearsal.places)


def test_another_passphrase_is_named_and_the_own_one_put_back_opens_the_state(
    brought_up: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    places = brought_up("dev with its models alone").places
    own = places.passphrase_file.read_text()
    places.passphrase_file.write_text("another")
    with pytest.raises(LaunchError, match=r"passphrase is not what .*start afresh"):
        operations.preview(places)
    places.passphrase_file.write_text(own)
    operations.preview(places)
    assert "Nothing changes." in capsys.readouterr().out


def test_a_state_lost_with_its_copy_is_named_with_the_way_back(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    rehearsal = rehearsal_of("dev")
    state = rehearsal.places.checkpoint
    state.parent.mkdir(parents=True)
    for file in (state, state.with_name(f"{state.name}.bak")):
        file.write_text("{")
    with pytest.raises(LaunchError, match=r"can't be read, nor the copy beside it") as caught:
        operations.up(rehearsal.places)
    assert f"remove {rehearsal.places.home} to start afresh" in str(caught.value)


def test_a_damaged_world_is_named(rehearsal_of: Callable[[str], Rehearsal]) -> None:
    rehearsal = rehearsal_of("dev")
    rehearsal.places.prepare()
    rehearsal.places.world.write_bytes(b"not a database" * 100)
    with pytest.raises(Exception, match=r"world\.db"):
        operations.up(rehearsal.places)


def test_a_living_lock_is_respected_and_a_dead_one_removed(
    rehearsal_of: Callable[[str], Rehearsal],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rehearsal = rehearsal_of("dev")
    rehearsal.places.locks.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as engine:
        lock = {
            "pid": engine.pid,
            "hostname": os.uname().nodename,
            "timestamp": datetime.now(UTC).isoformat(),
        }
        (rehearsal.places.locks / "one.json").write_text(json.dumps(lock))
        with monkeypatch.context() as patch:
            patch.setattr("launcher.locks._ENDING_SECONDS", 0.1)
            with pytest.raises(LaunchError, match=rf"locked by process {engine.pid}"):
                operations.preview(rehearsal.places)
        # As the engine of a killed run, it ends while somebody waits.
        threading.Timer(0.2, lambda: engine.communicate(b"\n")).start()
        operations.preview(rehearsal.places)
    assert "removed the lock of an interrupted run" in capsys.readouterr().err


def test_two_runs_of_a_stack_do_not_meet(
    started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = started()
    read_until(first, steps=1)
    # On a busy machine it could end before the other one begins.
    first.send_signal(signal.SIGSTOP)
    try:
        second = run("up", "--stack", "dev", sandbox=tmp_path)
    finally:
        first.send_signal(signal.SIGCONT)
    assert second.returncode == 1
    assert second.stderr.startswith(f"error: stack dev is in use by process {first.pid}")


def test_a_stack_is_made_while_another_is_destroyed(
    started: Callable[..., subprocess.Popen[str]],
    brought_up: Callable[[str], Rehearsal],
    tmp_path: Path,
) -> None:
    other = brought_up("dev with its pipeline alone").places
    making = started()
    read_until(making, steps=1)
    destroyed = run("destroy", "--stack", "dev", sandbox=other.home.parent)
    making.communicate(timeout=PATIENCE_SECONDS)
    assert (destroyed.returncode, making.returncode) == (0, 0), destroyed.stderr
    with World(other.world) as gone, World(tmp_path / "dev" / "world.db") as made:
        assert [each.id for each in gone.all() if each.owner == "pulumi"] == []
        assert sum(each.owner == "pulumi" for each in made.all()) > 100


@pytest.mark.parametrize("lost", ["passphrase", "world", "state"])
def test_what_was_lost_is_named_before_anything_is_done(
    lost: str, brought_up: Callable[[str], Rehearsal]
) -> None:
    rehearsal = brought_up("dev")
    file = {
        "passphrase": rehearsal.places.passphrase_file,
        "world": rehearsal.places.world,
        "state": rehearsal.places.checkpoint,
    }[lost]
    file.unlink()
    with pytest.raises(LaunchError, match=rf"{re.escape(str(file))}.*start afresh"):
        operations.preview(rehearsal.places)


def test_destroying_what_is_protected_deletes_nothing_and_says_how(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    rehearsal = brought_up("prod")
    before = len(rehearsal.resources())
    with pytest.raises(
        LaunchError, match=r"deletion_protection: false in Pulumi\.prod\.yaml"
    ) as told:
        operations.destroy(rehearsal.places)
    assert "rel-deletion-protection: disabled below rules: in policies/environments/prod" in str(
        told.value
    )
    assert len(rehearsal.resources()) == before


def test_a_change_that_deletes_what_is_protected_says_the_keys_that_protect_it(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    rehearsal = brought_up("prod")
    rehearsal.edit(lambda config: config["data"]["lake"].pop("training"))
    with pytest.raises(LaunchError, match=r"1 protected resource \(training-lake-bucket\)") as told:
        operations.preview(rehearsal.places)
    assert "deletion_protection: false in Pulumi.prod.yaml" in str(told.value)
    assert "pulumi state unprotect" not in str(told.value)
    # Who reviews it is told what it takes away all the same.
    with pytest.raises(LaunchError, match=r"1 protected resource \(training-lake-bucket\)"):
        report(rehearsal.places, "sandbox")
    comment = (rehearsal.places.home / "report" / "comment.md").read_text().splitlines()
    assert comment[3].startswith("- **Refused:** this deletes 1 protected resource (training-lake")
    going = comment.index("### Replaced and deleted")
    assert comment[going + 2].startswith("- **!** delete **Bucket training-lake-bucket**")
    assert not [line for line in comment if line.startswith("- New: ")]


def test_the_ranges_of_a_living_region_stay(brought_up: Callable[[str], Rehearsal]) -> None:
    rehearsal = brought_up("dev")
    rehearsal.edit(lambda config: config["regions"]["us-central1"].update(pods="10.96.0.0/14"))
    with pytest.raises(LaunchError, match=r"Pulumi\.dev\.yaml: regions\.us-central1\.pods: found"):
        operations.up(rehearsal.places)


def test_ctrl_c_ends_what_was_begun_and_the_next_up_goes_on(
    started: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    process = started()
    read_until(process, steps=20)
    os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "interrupted: ending what was begun" in rest
    assert "nothing is lost: `make up STACK=dev` goes on" in rest
    assert "Traceback" not in rest
    operations.up(in_this_process(tmp_path), skip_preview=True)
    nothing_is_left_to_do(in_this_process(tmp_path), capsys)


def test_a_killed_up_is_taken_up_again(
    started: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    process = started()
    read_until(process, steps=20)
    kill(process)
    result = run("up", "--stack", "dev", "--skip-preview", sandbox=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not list((tmp_path / "temporary").iterdir())
    nothing_is_left_to_do(in_this_process(tmp_path), capsys)


def test_what_a_killed_up_made_and_the_config_no_longer_has_is_deleted(
    started: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = started()
    read_until(process, steps=60)
    kill(process)
    made = World(tmp_path / "dev" / "world.db")
    assert made.count() > 0
    result = run("destroy", "--stack", "dev", sandbox=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert made.all() == []
    made.close()


def test_what_a_killed_destroy_deleted_is_made_again(
    started: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    brought_up: Callable[[str], Rehearsal],
    capsys: pytest.CaptureFixture[str],
) -> None:
    brought_up("dev with its models alone").places.home.rename(tmp_path / "dev")
    process = started("destroy")
    read_until(process, steps=20, mark="  - ")
    kill(process)
    operations.up(in_this_process(tmp_path), skip_preview=True)
    nothing_is_left_to_do(in_this_process(tmp_path), capsys)


def test_export_prints_the_deployment_and_nothing_else(
    tmp_path: Path, brought_up: Callable[[str], Rehearsal]
) -> None:
    brought_up("dev with its models alone").places.home.rename(tmp_path / "dev")
    result = run("export", "--stack", "dev", sandbox=tmp_path)
    assert result.returncode == 0
    exported = json.loads(result.stdout)
    assert exported["version"] >= 3
    assert exported["deployment"]["resources"]
