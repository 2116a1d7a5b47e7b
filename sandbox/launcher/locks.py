"""The file backend's locks: a run that was killed leaves one, which must not block the next."""

import json
import socket
from datetime import datetime

import psutil

from sandbox.launcher.places import StackPlaces
from sandbox.launcher.problem import LaunchError


def clear_stale_locks(places: StackPlaces) -> list[str]:
    """Removes the locks of processes that are gone; returns a line for each.

    Raises LaunchError if a living process holds one.
    """
    removed: list[str] = []
    for file in sorted(places.locks.glob("*.json")):
        try:
            lock = json.loads(file.read_text())
            pid, host, since = int(lock["pid"]), str(lock["hostname"]), str(lock["timestamp"])
        except (OSError, ValueError, KeyError, TypeError):
            pid, host, since = 0, socket.gethostname(), "an unknown time"
        if host != socket.gethostname() or _holds(pid, since):
            raise LaunchError(
                f"stack {places.stack} is locked by process {pid} on {host} since {since}: wait "
                f"for it to end, or stop it; if it is gone, remove {file}"
            )
        file.unlink(missing_ok=True)
        removed.append(f"removed the lock of an interrupted run (process {pid}, {since})")
    return removed


def _holds(pid: int, since: str) -> bool:
    """Whether the process that wrote a lock lives: not one that got its number later."""
    try:
        process = psutil.Process(pid)
        written = datetime.fromisoformat(since).timestamp()
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= written
    except (psutil.NoSuchProcess, ValueError):
        return False
