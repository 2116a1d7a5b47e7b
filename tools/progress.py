"""Progress of set-up, on standard error so that a target's standard output stays its own."""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from problem import SetupProblemError

HEARTBEAT_SECONDS = 15


def say(message: str) -> None:
    """Print one line of progress."""
    print(f"setup: {message}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    what: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command, say every 15 seconds that it is still going.

    Raises SetupProblemError with the end of the command's output if it fails.
    """
    say(f"{what} ...")
    started = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"{what}: still going after {time.monotonic() - started:.0f} s")

    threading.Thread(target=beat, daemon=True).start()
    try:
        result = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    finally:
        done.set()
    if result.returncode != 0:
        tail = "\n".join(result.stdout.strip().splitlines()[-15:])
        raise SetupProblemError(f"{what} failed (exit code {result.returncode}):\n{tail}")
    say(f"{what}: done in {time.monotonic() - started:.0f} s")
