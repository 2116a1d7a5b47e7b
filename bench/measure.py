"""Times an operation as a whole process tree."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from launcher.paths import ROOT

SAMPLE_SECONDS = 0.05
MIB = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """One operation to measure. `recipe` is the bare program's, or None for the platform."""

    stack: str
    config: Path
    home: Path
    operation: str
    recipe: Path | None = None
    policies: bool = False


@dataclass(frozen=True)
class Figure:
    """Wall and processor time in seconds, and the peak of the tree's summed resident memory in MiB.

    Others on the machine slow the first, not the second.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(case: Case) -> Figure:
    """Run a case in processes of its own. Raises RuntimeError with its output if it fails."""
    started, used = time.monotonic(), _used()
    # A file, as a pipe that nobody reads blocks who says much.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.run_one", json.dumps(asdict(case), default=str)],
            cwd=ROOT,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.monotonic() - started
        if process.returncode != 0:
            said.seek(0)
            output = said.read().decode(errors="replace")
            raise RuntimeError(f"{case.operation} of {case.stack} failed:\n{output[-3000:]}")
    return Figure(round(seconds, 2), round(_used() - used, 2), round(peak / MIB, 1))


def _used() -> float:
    """Return the processor time of every process that has ended below this one."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(line: str) -> None:
    """Tell how far it is, beside the figures on standard output."""
    print(line, file=sys.stderr, flush=True)


def resident(pid: int) -> int:
    """Return the summed resident memory of a process and its descendants, in bytes."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
