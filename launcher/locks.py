"""One run of a stack at a time; what a killed run left behind is cleared before the next."""

import fcntl
import json
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import psutil

from launcher.paths import StackPaths
from launcher.problem import LaunchError

_ENDING_SECONDS: Final = 20.0


@contextmanager
def exclusive(places: StackPaths) -> Generator[list[str]]:
    """Hold the stack for this process; return a line for everything cleared.

    Raises LaunchError if another run holds it.
    """
    with (places.home / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LaunchError(
                f"stack {places.stack} is in use by process {file.read().strip() or '?'}: wait for "
                "it to end, or stop it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield _clear_engine_locks(places)


def _clear_engine_locks(places: StackPaths) -> list[str]:
    removed: list[str] = []
    for file in sorted(places.locks.glob("*.json")):
        try:
            lock = json.loads(file.read_text())
            pid, host, since = int(lock["pid"]), str(lock["hostname"]), str(lock["timestamp"])
        except (OSError, ValueError, KeyError, TypeError):
            pid, host, since = 0, socket.gethostname(), "an unknown time"
        if host != socket.gethostname() or _keeps(pid, since):
            raise LaunchError(
                f"stack {places.stack} is locked by process {pid} on {host} since {since}: wait "
                f"for it to end, or stop it; if it is gone, remove {file}"
            )
        file.unlink(missing_ok=True)
        removed.append(f"removed the lock of an interrupted run (process {pid}, {since})")
    return removed


def _keeps(pid: int, since: str) -> bool:
    """Return whether the process that wrote a lock lives on: not one that got its number later.

    The engine of a killed run takes a moment to end.
    """
    try:
        written = datetime.fromisoformat(since).timestamp()
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() > written:
            return False
        process.wait(_ENDING_SECONDS)
    except psutil.TimeoutExpired:
        return True
    except (psutil.NoSuchProcess, ValueError):
        return False
    return False
