"""Processes that serve on a port of this machine while they are measured."""

import socket
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher.paths import ROOT

_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.005


class Server:
    """A process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self.pid = process.pid

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for something it does. Raises RuntimeError with its log when it ends or hangs."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(_LOOK_SECONDS)


@contextmanager
def serving(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Generator[Server]:
    """Run a command from the project's folder, to the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(process, log)
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Return whether somebody listens on a port."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
