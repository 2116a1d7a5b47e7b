"""Progress of set-up, on standard error so that a target's standard output stays its own."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from problem import SetupProblemError

# One line that changes on a terminal; a line of its own each time in a log.
TERMINAL_SECONDS = 1
LOG_SECONDS = 60
CLEAR = "\r\033[K"


def say(message: str) -> None:
    """Print one line of progress."""
    print(f"setup: {message}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    what: str,
    *,
    about: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a long command and say what is waited for, and that it takes `about` so long.

    Raises SetupProblemError with the end of the command's output if it fails.
    """
    terminal = sys.stderr.isatty()
    line = f"{what} ({about})" if about else what
    say(f"{line} ...")
    started = time.monotonic()
    done = threading.Event()

    def beat() -> None:
        while not done.wait(TERMINAL_SECONDS if terminal else LOG_SECONDS):
            still = f"setup: {line}: {_duration(started)} so far"
            print(*((CLEAR, still) if terminal else (still, "\n")), sep="", end="", file=sys.stderr)
            sys.stderr.flush()

    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
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
        beating.join()
        print(CLEAR if terminal else "", end="", file=sys.stderr)
    if result.returncode != 0:
        tail = "\n".join(result.stdout.strip().splitlines()[-15:])
        raise SetupProblemError(f"{what} failed (exit code {result.returncode}):\n{tail}")
    say(f"{what}: done in {_duration(started)}")


def _duration(started: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
