"""Kill processes of an operation at random, and run it again: `python -m tests.engine.kills`.

A seed says what is killed, in which operation, and when. `kill_seeds.txt` has 200. After each the
next `up` (or `destroy`) reaches the wanted state: nothing is in the cloud twice or without a state,
and the preview after it changes nothing. Results are appended to a file, a line of JSON each.
"""

import argparse
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from contextlib import redirect_stdout, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

import psutil

from launcher import operations
from launcher.problem import LaunchError
from launcher.recovery import unrecorded
from sandbox.world import LEFT, World
from tests.engine.conftest import Rehearsal
from tests.stacks import copy_of, models_alone

SEEDS: Final = Path(__file__).with_name("kill_seeds.txt")
BASE: Final = "dev with its models alone"
TARGETS: Final = ("engine", "program, providers and policies", "starter of the policies", "all")
OPERATIONS: Final = ("up", "change", "destroy")
_LINES: Final = {"up": 149, "change": 42, "destroy": 149}
"""About so many lines an operation prints."""


@dataclass(frozen=True)
class Kill:
    """What a seed says; `after` are lines of progress, then so many `seconds`."""

    seed: int
    operation: str
    target: str
    after: int
    seconds: float
    again: str

    @classmethod
    def of(cls, seed: int) -> "Kill":
        """Return what a seed says."""
        chosen = random.Random(seed)  # noqa: S311 -- nothing secret
        operation = chosen.choice(OPERATIONS)
        # No policy judges a destruction.
        targets = [each for each in TARGETS if operation != "destroy" or each != TARGETS[2]]
        target, after = chosen.choice(targets), chosen.randrange(_LINES[operation])
        # Before the first line of progress much is done.
        seconds = round(chosen.uniform(0, 0.1 if after else 3), 3)
        return cls(seed, operation, target, after, seconds, chosen.choice(("up", "up", "destroy")))


def _other_model(config: dict[str, Any]) -> None:
    """Serve another model instead of the one there is."""
    config["models"] = {
        "llama-3.2-1b": {
            "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
            "max_context": 8192,
            "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
        }
    }


def kill(each: Kill, shared: Path, folder: Path) -> dict[str, Any]:
    """Do what a seed says in an empty folder; return what came of it."""
    began = time.monotonic()
    if each.operation == "up":
        stack = Rehearsal("dev", folder)
        stack.edit(models_alone)
    else:
        stack = copy_of(BASE, shared, folder)
    if each.operation == "change":
        stack.edit(_other_model)
    operation = "destroy" if each.operation == "destroy" else "up"
    killed, code, seen = _killed(each, stack, operation)
    again, told = _run(stack, each.again)
    problem = told if again else ""
    if not problem:
        problem = _wrong(stack, each.again)
    return {
        **asdict(each),
        "killed": killed,
        "exit": code,
        "lines": seen,
        "problem": problem,
        "took": round(time.monotonic() - began, 1),
    }


def _killed(each: Kill, stack: Rehearsal, operation: str) -> tuple[list[str], int, int]:
    """Run an operation until it is killed; return what was, its exit code and its lines."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.close(reading)
        for descriptor in (1, 2):
            os.dup2(writing, descriptor)
        os._exit(_done(stack, operation))
    os.close(writing)
    seen, killed = 0, list[str]()
    with os.fdopen(reading, errors="replace") as output:
        for line in output:
            seen += line.startswith(("  +", "  -", "  ~", "  \u00b1"))
            if seen >= each.after and not killed:
                time.sleep(each.seconds)
                killed = _kill(pid, each.target)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return killed, code, seen


def _kill(pid: int, target: str) -> list[str]:
    launcher = psutil.Process(pid)
    chosen: list[psutil.Process] = []
    for each in (launcher, *launcher.children(recursive=True)):
        name = each.name()
        kind = TARGETS[0] if name.startswith("pulumi") else TARGETS[2]
        kind = TARGETS[1] if each == launcher else kind
        kind = TARGETS[2] if "analyzer" in name or name in {"sh", "sleep"} else kind
        if target in {kind, TARGETS[3]}:
            chosen.append(each)
    for each in chosen:
        # One may have ended since.
        with suppress(psutil.NoSuchProcess):
            each.send_signal(signal.SIGKILL)
    names = [each.pid for each in chosen]
    psutil.wait_procs([each for each in chosen if each.pid != pid], timeout=60)
    return [f"{len(names)} of {target}"] if names else []


def _done(stack: Rehearsal, operation: str) -> int:
    """Run an operation in a process of its own; return its exit code."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What reads it kills by the lines.
    cast("io.TextIOWrapper", sys.stdout).reconfigure(line_buffering=True)
    try:
        if operation == "up":
            operations.up(stack.places, skip_preview=True)
        else:
            getattr(operations, operation)(stack.places)
    except LaunchError as problem:
        print(f"error: {problem}", flush=True)
        return 1
    except BaseException:
        traceback.print_exc()
        return 3
    finally:
        sys.stdout.flush()
    return 0


def _run(stack: Rehearsal, operation: str) -> tuple[int, str]:
    """Run an operation to its end; return its exit code and what it printed."""
    with tempfile.TemporaryFile("w+") as output:
        pid = os.fork()
        if pid == 0:
            for descriptor in (1, 2):
                os.dup2(output.fileno(), descriptor)
            os._exit(_done(stack, operation))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        output.seek(0)
        return code, output.read()


def _wrong(stack: Rehearsal, operation: str) -> str:
    """Return what isn't as wanted; '' where all is."""
    with World(stack.places.world) as world:
        if operation == "destroy":
            left = [each.id for each in world.all()]
            return f"left: {left}" if left or stack.places.recorded() else ""
        orphans = [each.id for each in world.all() if each.owner == LEFT]
        unknown = [each.id for each in unrecorded(stack.places, world)]
        urns = [each.urn for each in world.all() if each.owner == "pulumi"]
        held = {each["urn"] for each in stack.places.recorded() if each.get("custom")}
        twice = sorted({each for each in urns if urns.count(each) > 1})
    for what, found in (
        ("orphaned", orphans),
        ("unknown to the state", unknown),
        ("twice", twice),
        ("in the state alone", sorted(held - set(urns))),
    ):
        if found:
            return f"{what}: {found}"
    code, told = _run(stack, "preview")
    return "" if code == 0 and "Nothing changes." in told else f"the preview: {told[-2000:]}"


def main(arguments: list[str] | None = None) -> int:
    """Kill by the seeds of a file; return 1 where anything isn't as wanted."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.kills", description=__doc__)
    parser.add_argument("--seeds", type=Path, default=SEEDS, help="a file with a seed a line")
    parser.add_argument("--first", type=int, default=0, help="how many of them are left out")
    parser.add_argument("--count", type=int, default=None, help="how many are run")
    parser.add_argument("--record", type=Path, help="where the results go, a line of JSON each")
    chosen = parser.parse_args(arguments)
    seeds = [int(each) for each in chosen.seeds.read_text().split()][chosen.first :][: chosen.count]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="kills-") as base:
        shared = Path(base) / "shared"
        shared.mkdir()
        pid = os.fork()
        if pid == 0:
            with redirect_stdout(io.StringIO()):
                copy_of(BASE, shared, Path(base) / "first")
            os._exit(0)
        os.waitpid(pid, 0)
        for seed in seeds:
            folder = Path(base) / str(seed)
            folder.mkdir()
            result = kill(Kill.of(seed), shared, folder)
            failed += bool(result["problem"])
            line = json.dumps(result)
            print(line, flush=True)
            if chosen.record:
                with chosen.record.open("a") as file:
                    file.write(f"{line}\n")
            shutil.rmtree(folder)
    print(f"{len(seeds)} killed, {failed} not as wanted")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
