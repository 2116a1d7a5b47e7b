"""`make serve` says where to ask and what it can't do, and leaves nothing running."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager

import psutil
import pytest

from emulator.gateway import serve
from launcher import gateway
from launcher.paths import ROOT
from launcher.problem import LaunchError
from tests.engine.conftest import Rehearsal

END_SECONDS = 120

built = pytest.mark.skipif(
    bool(serve.missing()),
    reason="NO REQUEST PATH WAS SERVED: `make test-kubernetes` builds its programs, once",
)


@contextmanager
def served(dev: Rehearsal) -> Generator[subprocess.Popen[str]]:
    environment = {**os.environ, "INFERENCE_SANDBOX": str(dev.places.home.parent)}
    with subprocess.Popen(
        [sys.executable, "-m", "launcher", "serve", "--stack", "dev"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What a shell starts in the background ignores it, as would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said_until(process: subprocess.Popen[str], end: str) -> str:
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or end not in lines[-1]:
        line = process.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)


@built
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_running(
    brought_up: Callable[[str], Rehearsal], ending: signal.Signals
) -> None:
    with served(brought_up("dev")) as process:
        said = said_until(process, "requests, until Ctrl-C")
        assert "model servers are simulated" in said
        url, trusted = (re.search(rf"{name}=(\S+)", said) for name in ("URL", "SSL_CERT_FILE"))
        assert url
        assert trusted
        trust = ssl.create_default_context(cafile=trusted[1])
        body = {"model": "qwen3-4b", "messages": [{"role": "user", "content": "Here?"}]}
        data = json.dumps(body).encode()
        asked = f"{url[1]}/chat/completions"
        with urllib.request.urlopen(asked, data, timeout=30, context=trust) as answer:  # noqa: S310 -- loopback
            pod = json.load(answer)["system_fingerprint"]
        assert f"pod {pod}" in said_until(process, "200  ")
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


def test_a_program_that_is_missing_is_named(
    brought_up: Callable[[str], Rehearsal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "missing", lambda: ["epp"])
    with pytest.raises(LaunchError, match="epp missing: `make serve` builds"):
        gateway.serve(brought_up("dev").places)


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
