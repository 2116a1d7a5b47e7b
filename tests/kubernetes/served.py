"""`make serve` and `make demo` as processes."""

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager

from launcher.paths import ROOT
from tests.engine.conftest import Rehearsal


@contextmanager
def served(
    stack: Rehearsal, *options: str, operation: str = "serve", **environment: str
) -> Generator[subprocess.Popen[str]]:
    """Serve a stack; what is said comes on standard output."""
    environment = {
        **os.environ,
        "INFERENCE_SANDBOX": str(stack.places.home.parent),
        **environment,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "launcher", operation, "--stack", stack.places.stack, *options],
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
    with urllib.request.urlopen(asked, timeout=30, context=trust) as answer:  # noqa: S310
        return json.load(answer)["system_fingerprint"]
