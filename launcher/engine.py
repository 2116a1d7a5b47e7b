"""Opens a stack of this project on the real Pulumi engine, through the Automation API."""

import os
import re
import runpy
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi import automation
from pulumi.automation._stack import StackInitMode  # noqa: PLC2701 - exported nowhere

from launcher.backend import ENCRYPTION_KEYS, check_stack_exists
from launcher.paths import ROOT, VENV_BIN, StackPaths, engine_root
from launcher.problem import LaunchError
from policies.engine.environment import VARIABLE as POLICY_ENVIRONMENT

ANALYZER = ROOT / "launcher" / "analyzer"
OWN = f"{ROOT}{os.sep}"
Program = Callable[[], None]

# The config file's own secrets are sealed with the key of the real backend, which a rehearsal
# neither has nor needs.
SANDBOX_SECRET = "a secret of the sandbox"  # noqa: S105 not a credential


# The SDK writes every resource's call stack into the state: only the program's own frames, which
# are the innermost above the SDK's six, are worth that.
STACK_FRAMES = 10

# Percent by which the engine's memory grows before it is searched for garbage. By the runtime's own
# 100 that takes a sixth of the engine's time; this takes a tenth more memory of a whole preview.
ENGINE_GC_PERCENT = "300"


class _Stack(automation.Stack):
    """A stack whose operations end with the engine's: its events have told all that they do.

    The Automation API would start the engine thrice more after an `up`, for a tenth of its time.
    """

    def outputs(self) -> automation.OutputMap:
        """Return nothing: progress.py has them from the engine's events."""
        return {}

    def info(self, show_secrets: bool = True) -> automation.UpdateSummary:  # noqa: ARG002
        """Return no more than the Automation API wants to see of an ended operation."""
        return automation.UpdateSummary("", datetime.now(UTC), "", {}, {}, "")


class _Workspace(automation.LocalWorkspace):
    """A workspace whose stack is there: each command names it, so it needn't be selected."""

    def select_stack(self, stack_name: str) -> None:
        """Do nothing; the engine would be started for it."""


# It asks the engine for its version.
_command = cache(automation.PulumiCommand)


def platform_program() -> None:
    """Run the project's own program, as `pulumi up` does."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def watched(program: Program, failures: list[BaseException]) -> Program:
    """Return the program, which notes what it fails with."""

    def run() -> None:
        try:
            program()
        except BaseException as failure:
            failures.append(failure)
            raise

    return run


def open_stack(
    places: StackPaths, debug_providers: str, program: Program = platform_program
) -> automation.Stack:
    """Create or select the stack in its own file backend, with the config of its file.

    `debug_providers` is what the engine attaches to instead of provider plugins, such as
    "gcp:5001,kubernetes:5002". Raises LaunchError if the state can't be used.
    """
    _write_project(places)
    sys.tracebacklimit = STACK_FRAMES
    # The SDK calls the engine with several of these for each resource, and nobody reads them.
    pulumi.log.debug = _say_nothing
    # What it says of an engine that was killed: the operation's own message says it better.
    warnings.filterwarnings("ignore", "Error in event stream", module="pulumi")
    environment = {
        "GOGC": os.environ.get("GOGC", ENGINE_GC_PERCENT),
        "PATH": os.pathsep.join(map(str, (ANALYZER, VENV_BIN, os.environ.get("PATH", "")))),
        "PULUMI_BACKEND_URL": places.state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": places.passphrase(),
        "PULUMI_DEBUG_PROVIDERS": debug_providers,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Else it fetches the real provider of each resource in the state, which nothing here uses.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        # The state is written once, at the end: see recovery.py for a run that doesn't get there.
        "PULUMI_SKIP_CHECKPOINTS": "true",
        "PULUMI_HOME": str(places.home / "pulumi"),
        POLICY_ENVIRONMENT: str(places.environment),
    }
    workspace = _Workspace(
        work_dir=str(places.work),
        env_vars=environment,
        pulumi_command=_command(str(engine_root())),
        program=program,
    )
    there = places.checkpoint.exists()
    try:
        mode = StackInitMode.SELECT if there else StackInitMode.CREATE
        return _Stack(places.stack, workspace, mode)
    except automation.CommandError as problem:
        raise LaunchError(
            f"the engine can't open the state of {places.stack} in {places.state}: "
            f"{reason_of(problem)}; remove {places.home} to start afresh"
        ) from problem


def open_stack_on_gcp(
    places: StackPaths,
) -> tuple[automation.Stack, Sequence[Mapping[str, Any]], str | None]:
    """Return the stack in the project's own backend, what its state holds, and its config file
    where that isn't where Pulumi looks.

    Raises LaunchError if it isn't there or can't be opened.
    """
    check_stack_exists(places)
    try:
        stack = automation.select_stack(places.stack, work_dir=str(ROOT))
        deployment: dict[str, Any] = dict(stack.export_stack().deployment or {})
    except automation.CommandError as problem:
        raise LaunchError(f"{places.stack} can't be opened: {reason_of(problem)}") from problem
    config = None if places.config.parent == ROOT else str(places.config)
    return stack, deployment.get("resources") or [], config


def _say_nothing(*_: object, **__: object) -> None:
    pass


def _write_project(places: StackPaths) -> None:
    """Copy the project and its stack's config next to the state.

    The engine writes the salt of its secrets into the stack's config file; the committed one must
    stay as its authors wrote it.
    """
    shutil.copyfile(ROOT / "Pulumi.yaml", places.work / "Pulumi.yaml")
    copy = places.work / places.config.name
    settings: dict[str, Any] = yaml.safe_load(places.config.read_text())
    settings["config"] = {
        key: SANDBOX_SECRET if _sealed(value) else value
        for key, value in settings["config"].items()
    }
    for sealed in ENCRYPTION_KEYS:
        settings.pop(sealed, None)
    if salt := _salt(copy):
        settings["encryptionsalt"] = salt
    copy.write_text(yaml.safe_dump(settings, sort_keys=False))


def _salt(copy: Path) -> str:
    """Return the salt in the copy of a config file; '' where a full disk left none of it, and the
    engine makes another for it: the state has its own."""
    try:
        earlier: object = yaml.safe_load(copy.read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    return str(earlier.get("encryptionsalt", "")) if isinstance(earlier, dict) else ""


def _sealed(value: object) -> bool:
    return isinstance(value, dict) and "secure" in value


def reason_of(problem: automation.CommandError) -> str:
    """Return what the engine says of its own end."""
    text = str(problem)
    code = re.search(r"^\s*code: (-?\d+)$", text, re.MULTILINE)
    if code and int(code[1]) < 0:
        return f"the engine was ended from outside (signal {-int(code[1])})"
    lines = [line.strip() for line in text.splitlines() if "error:" in line]
    return " ".join(dict.fromkeys(lines)) or text


def message_of(error: BaseException) -> str:
    """Return what went wrong in the program, for its user; for a defect also where it is."""
    meant = (pulumi.RunError, pulumi.InputPropertyError, pulumi.InputPropertiesError)
    if isinstance(error, meant):
        return str(error)
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__, limit=sys.getrecursionlimit())
        if f.filename.startswith(OWN)
    ]
    place = f" at {frames[-1].filename.removeprefix(OWN)}:{frames[-1].lineno}" if frames else ""
    return f"a defect of the program{place}: {type(error).__name__}: {error}"
