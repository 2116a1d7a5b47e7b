"""`make serve` says where to ask and what it can't do, and leaves nothing running."""

import errno
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest

from config.load import from_file
from emulator.gateway import serve
from emulator.gateway.cluster import clusters
from emulator.gateway.kv_cache import BLOCK_TOKENS
from emulator.gateway.replicas import replicas
from launcher import gateway
from launcher.machine_speed import at_speed
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from launcher.scratch import scratch
from tests.engine.conftest import Rehearsal
from tests.kubernetes.served import pod_asked, said_until, served

END_SECONDS = 120

built = pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO REQUEST PATH WAS SERVED: `make test-kubernetes` builds its programs, once",
)


@built
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running(
    brought_up: Callable[[str], Rehearsal], ending: signal.Signals
) -> None:
    dev = brought_up("dev")
    with served(dev) as process:
        said = said_until(process, "requests, until Ctrl-C")
        assert "model servers are simulated" in said
        pod = pod_asked(said, "qwen3-4b")
        assert f"pod {pod}" in said_until(process, "200  ")
        assert "    scores " in said_until(process, "the only candidate")
        children = psutil.Process(process.pid).children(recursive=True)
        assert {each.name() for each in children} >= {
            "etcd",
            "kube-apiserver",
            "epp",
            "bbr",
            "envoy",
        }
        process.send_signal(ending)
        code = process.wait(END_SECONDS)
        assert code == (-ending if ending == signal.SIGKILL else 0)
        _, alive = psutil.wait_procs(children, END_SECONDS)
        assert alive == []
        if ending == signal.SIGINT:
            assert process.stdout is not None
            assert "The page of 1 request" in process.stdout.read()
            page = (dev.places.home / "requests.html").read_text()
            assert "<td>qwen3-4b</td><td>qwen3-4b-l4-spot</td><td>1</td><td>100%</td>" in page
            assert f"<td>{pod}</td>" in page


def test_a_program_that_is_missing_is_named(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "missing", lambda: ["epp"])
    with pytest.raises(LaunchError, match="epp missing: `make serve` builds"):
        gateway.serve(brought_up("dev").places)


def problem(home: StackPaths, **wanted: Any) -> str:
    with pytest.raises(LaunchError) as caught:
        gateway.serve(home, wanted=gateway.Wanted(**wanted))
    return str(caught.value)


@pytest.fixture
def all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "missing", list[str])


@pytest.mark.usefixtures("all_there")
def test_a_port_that_is_taken_or_none_is_named(brought_up: Callable[[str], Rehearsal]) -> None:
    dev = brought_up("dev").places
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"PORT: found {port}, which can't be had" in problem(dev, port=port)
    assert "PORT: found 70000; allowed: 1 to 65535" in problem(dev, port=70_000)


@pytest.mark.usefixtures("all_there")
@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_named(
    brought_up: Callable[[str], Rehearsal], speed: float
) -> None:
    said = problem(brought_up("dev").places, speed=speed)
    assert f"SPEED: found {speed:g}; allowed: 0, for answers" in said


@pytest.mark.usefixtures("all_there")
@pytest.mark.parametrize(
    ("stack", "allowed"), [("dev", "none: no consumer has failover"), ("prod", "apps")]
)
def test_a_consumer_without_failover_is_named(
    brought_up: Callable[[str], Rehearsal], stack: str, allowed: str
) -> None:
    said = problem(brought_up(stack).places, consumer="partner")
    assert f"CONSUMER: found 'partner'; allowed: {allowed}" in said


def test_replicas_take_the_times_and_the_cache_of_their_machines(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    prod = brought_up("prod")
    (central, _) = clusters(prod.resources())
    found = replicas(central)
    tune = at_speed(from_file(prod.places.config), "us-central1", 2.0)
    for each in found:
        tune(each)
        assert each.speed == 2.0
    by_model = {each.model: each for each in found}
    large, small = by_model["llama-3.3-70b"], by_model["qwen3-4b"]
    # Two operations for each of 70.6e9 parameters on two H100, of 4.0e9 on an L4.
    assert large.seconds_per_prompt_token == pytest.approx(2 * 70.6e9 / (2 * 1979e12), rel=0.02)
    assert small.seconds_per_prompt_token == pytest.approx(2 * 4.0e9 / 121e12, rel=0.02)
    assert large.step_seconds(1) < large.step_seconds(64) < 64 * large.step_seconds(1)
    # What is left of an L4 but a fraction for the weights of 8 GB, at 144 KiB a token.
    assert 50_000 < small.blocks * BLOCK_TOKENS < 144_000
    assert f'num_gpu_blocks="{small.blocks}"' in small.metrics()


@pytest.mark.usefixtures("all_there")
def test_a_small_disk_is_named_before_anything_starts(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    small = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", tmp_path]
    if subprocess.run(small, capture_output=True, check=False).returncode:
        pytest.skip("NO SMALL DISK WAS FILLED: only root mounts one")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        said = problem(brought_up("dev").places)
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert f"the disk of {tmp_path} is full: free a GiB of it, or set TMPDIR" in said


@pytest.mark.usefixtures("all_there")
def test_a_disk_that_fills_up_is_named(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(serve, "serve", full)
    assert "is full: free a GiB of it, or set TMPDIR" in problem(brought_up("dev").places)


def _nothing(checkpoint: dict[str, Any]) -> None:
    checkpoint["checkpoint"]["latest"]["resources"] = []


def _older_state(checkpoint: dict[str, Any]) -> None:
    checkpoint["deployment"] = checkpoint.pop("checkpoint")


def _no_router(checkpoint: dict[str, Any]) -> None:
    latest = checkpoint["checkpoint"]["latest"]
    latest["resources"] = [
        each for each in latest["resources"] if "GCPRoutingExtension" not in each["type"]
    ]


@pytest.mark.usefixtures("all_there")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_nothing, "dev isn't there on the sandbox cloud any more: run `make up STACK=dev` first"),
        (_older_state, "not as this version makes it .* run `make up STACK=dev`"),
    ],
)
def test_a_state_that_is_no_stack_of_this_version_is_named(
    brought_up: Callable[[str], Rehearsal],
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    said: str,
) -> None:
    places = replace(brought_up("dev").places, home=tmp_path)
    assert "dev isn't there on the sandbox cloud yet" in problem(places)
    checkpoint = json.loads(brought_up("dev").places.checkpoint.read_text())
    change(checkpoint)
    places.checkpoint.parent.mkdir(parents=True)
    places.checkpoint.write_text(json.dumps(checkpoint))
    assert re.search(said, problem(places))


@built
def test_a_pool_without_replicas_is_named_and_answers_503(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    dev = brought_up("dev")
    checkpoint = json.loads(dev.places.checkpoint.read_text())
    (deployment,) = (
        each["inputs"]
        for each in checkpoint["checkpoint"]["latest"]["resources"]
        if each["type"] == "kubernetes:apps/v1:Deployment"
        and each["inputs"]["metadata"]["name"] == "qwen3-4b-l4-spot-us-central1"
    )
    deployment["spec"]["replicas"] = 0
    dev.places.checkpoint.write_text(json.dumps(checkpoint))
    with served(dev) as process:
        said = said_until(process, "requests, until Ctrl-C")
        assert "the pool qwen3-4b-l4-spot has no replica" in said
        with pytest.raises(HTTPError, match="503"):
            pod_asked(said, "qwen3-4b")
        assert "503  " in said_until(process, "qwen3-4b: ")


@built
@pytest.mark.parametrize("started", ["etcd", "epp"])
def test_ctrl_c_during_the_start_leaves_nothing(
    brought_up: Callable[[str], Rehearsal], tmp_path: Path, started: str
) -> None:
    with served(brought_up("dev"), TMPDIR=str(tmp_path)) as process:
        end, children = time.monotonic() + END_SECONDS, list[psutil.Process]()
        while not children or started not in {each.name() for each in children}:
            assert time.monotonic() < end
            time.sleep(0.05)
            children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(END_SECONDS) == 0
        assert process.stdout is not None
        assert "ended; nothing is left running" in process.stdout.read()
        _, alive = psutil.wait_procs(children, END_SECONDS)
        assert alive == []
    assert list(tmp_path.iterdir()) == []


@built
def test_two_are_served_at_once(brought_up: Callable[[str], Rehearsal]) -> None:
    dev = brought_up("dev")
    with served(dev) as first, served(dev) as second:
        for each in (first, second):
            pod = pod_asked(said_until(each, "requests, until Ctrl-C"), "qwen3-4b")
            assert f"pod {pod}" in said_until(each, "200  ")


HOLD = """
import sys, time
from launcher.scratch import scratch
with scratch("held-") as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_run_left_is_removed_by_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        held = Path(other.stdout.readline().strip())
        (held / "store").touch()
        with scratch("held-") as own:
            assert {*tmp_path.iterdir()} == {held, own}
        other.kill()
        other.wait()
        with scratch("held-") as own:
            assert {*tmp_path.iterdir()} == {own}
    assert list(tmp_path.iterdir()) == []


@built
def test_objects_of_another_version_are_named(
    brought_up: Callable[[str], Rehearsal], tmp_path: Path
) -> None:
    made = brought_up("dev").places
    places = replace(made, home=tmp_path)
    checkpoint = json.loads(made.checkpoint.read_text())
    _no_router(checkpoint)
    places.checkpoint.parent.mkdir(parents=True)
    places.checkpoint.write_text(json.dumps(checkpoint))
    shutil.copyfile(made.world, places.world)
    assert re.search("not as this version makes it .*has no routing extension", problem(places))


@built
def test_a_program_that_dies_ends_it_with_its_last_words(
    brought_up: Callable[[str], Rehearsal],
) -> None:
    with served(brought_up("dev")) as process:
        said_until(process, "requests, until Ctrl-C")
        (picker,) = (
            each
            for each in psutil.Process(process.pid).children(recursive=True)
            if each.name() == "epp"
        )
        picker.kill()
        assert process.wait(END_SECONDS) == 1
        assert process.stdout is not None
        assert "error: qwen3-4b-l4-spot-epp has ended" in process.stdout.read()
