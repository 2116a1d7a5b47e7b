"""`make serve` and `make demo` as processes."""

import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from launcher.paths import ROOT
from tests.engine.conftest import Rehearsal

# What a shell starts in the background ignores Ctrl-C, as would all that it starts. In a process of
# its own, not in a fork of this one: a fork does not survive the threads of gRPC.
INTERRUPTIBLE = (
    *(sys.executable, "-I", "-S", "-c"),
    (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    ),
    sys.executable,
)


@contextmanager
def served(
    stack: Rehearsal, *options: str, operation: str = "serve", **environment: str
) -> Generator[subprocess.Popen[str]]:
    """Serve a stack with simulated answers unless an option says otherwise; what is said comes on
    standard output."""
    options = ("--answers", "simulated", *options)
    environment = {
        **os.environ,
        "INFERENCE_SANDBOX": str(stack.places.home.parent),
        **environment,
    }
    with subprocess.Popen(
        [*INTERRUPTIBLE, "-m", "launcher", operation, "--stack", stack.places.stack, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said_until(process: subprocess.Popen[str], end: str) -> str:
    """Return what it says up to a line with `end`."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or end not in lines[-1]:
        line = process.stdout.readline()
        assert line, "".join(lines)
        lines.append(line)
    return "".join(lines)


def pod_asked(said: str, model: str) -> str:
    """Ask a model at the URL that was said; return the pod that answered."""
    return answer_of(said, model)["system_fingerprint"]


def answer_of(said: str, model: str) -> dict[str, Any]:
    """Ask a model at the URL that was said; return what it answers."""
    url, key, trusted = (
        re.search(rf"{name}=(\S+)", said) for name in ("URL", "API_KEY", "SSL_CERT_FILE")
    )
    assert url
    assert key
    assert trusted
    body = {"model": model, "messages": [{"role": "user", "content": "Here?"}]}
    asked = urllib.request.Request(  # noqa: S310 -- loopback
        f"{url[1]}/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key[1]}"},
    )
    trust = ssl.create_default_context(cafile=trusted[1])
    with urllib.request.urlopen(asked, timeout=120, context=trust) as answer:  # noqa: S310
        return json.load(answer)
