"""Programs on loopback ports that end with whoever started them, killed or not."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ENGINE: Final = ROOT / ".engine"
"""Where set-up puts what it builds."""
LOOPBACK: Final = "127.0.0.1"
STOP_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05
LOG_LINES: Final = 15
# Ends a program even if what started it is killed: PR_SET_PDEATHSIG of prctl(2). In a process of
# its own, not in a fork of this one: a fork does not survive the threads of gRPC.
_BOUND: Final = (
    *(sys.executable, "-I", "-S", "-c"),
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])",
)


class ProgramError(RuntimeError):
    """Why a program doesn't run, with the end of what it said."""


class Program:
    """A running program and its log."""

    def __init__(
        self,
        running: ExitStack,
        log: Path,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log, self.command = log, command
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*(_BOUND if sys.platform == "linux" else ()), *command],
                cwd=log.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running.callback(self.stop)

    def stop(self) -> None:
        """End it, by force if it takes its time."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, ending)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    def check(self) -> None:
        """Raise ProgramError if it has ended."""
        if self.process.poll() is not None:
            raise ProgramError(f"{self.log.stem} has ended:\n{self.last_lines()}")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it is ready. Raises ProgramError if it ends, or isn't after `seconds`."""
        end = time.monotonic() + seconds
        while not ready():
            code = self.process.poll()
            if code is not None or time.monotonic() > end:
                why = "did not become ready" if code is None else f"ended with exit code {code}"
                raise ProgramError(f"{self.log.stem} {why}:\n{self.last_lines()}")
            time.sleep(LOOK_SECONDS)

    def last_lines(self) -> str:
        """Return the end of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-LOG_LINES:])


def says_ok(port: int, path: str) -> bool:
    """Return whether a program at a port here says 200 there."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=2) as answer:
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


def write_private(file: Path, text: str) -> None:
    """Write a new file that nobody else may read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
