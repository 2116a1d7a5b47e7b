"""Orphans: processes of a run that was killed, ended by the next one."""

import contextlib
import json
from pathlib import Path

import psutil

_END_SECONDS = 10


def record_process(folder: Path, pid: int) -> Path:
    """Write down a process; return the file, which goes with it."""
    note = folder / f"{pid}.pid"
    with contextlib.suppress(psutil.NoSuchProcess):
        note.write_text(json.dumps({"created": psutil.Process(pid).create_time()}))
    return note


def end_orphans(folder: Path) -> int:
    """End the instances of a run that was killed; return how many there were."""
    ended = 0
    for note in folder.glob("*.pid"):
        with contextlib.suppress(ValueError, OSError, psutil.NoSuchProcess):
            process = psutil.Process(int(note.stem))
            # Not one that got its number later.
            if process.create_time() == json.loads(note.read_text())["created"]:
                process.kill()
                process.wait(_END_SECONDS)
                ended += 1
        note.unlink(missing_ok=True)
    return ended
