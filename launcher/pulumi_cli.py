"""Hands an operation over to the ordinary Pulumi CLI, for Google Cloud."""

import os
from collections.abc import Sequence

from launcher.asking import ask_on_gcp
from launcher.backend import check_stack_exists
from launcher.imports import name_imports
from launcher.paths import ROOT, StackPaths, plain_pulumi
from launcher.problem import LaunchError

OPERATIONS = {
    "up": ("up",),
    "preview": ("preview",),
    "refresh": ("refresh",),
    "destroy": ("destroy",),
    "export": ("stack", "export"),
    "import": ("up",),
}
CHANGING = {"up", "refresh", "destroy", "import"}
PARALLEL = 64
"""So many calls at once: the engine's four for each core of a small machine make an `up` of prod
half as long again as its longest path."""
JUDGED = {"up", "preview", "import"}


def command_line(operation: str, places: StackPaths) -> Sequence[str]:
    """Return the pulumi command that does `operation`, with the policy packs where they apply.

    Raises LaunchError for what Google Cloud has no counterpart of.
    """
    if operation not in OPERATIONS:
        raise LaunchError(f"{operation} is for the sandbox cloud: run it without CLOUD=gcp")
    line = [plain_pulumi(), *OPERATIONS[operation], "--stack", places.stack]
    if operation != "export":
        line += places.config_option
    if operation in CHANGING:
        line += ["--parallel", str(PARALLEL)]
    if operation in JUDGED:
        for folder in places.policy_packs():
            line += ["--policy-pack", folder]
    return line


def exec_pulumi(operation: str, places: StackPaths, *, asks: bool = False) -> None:
    """Become the pulumi command, in the project's folder; ask before, as asking.py says. Does not
    return."""
    line = command_line(operation, places)
    check_stack_exists(places)
    if operation == "import":
        name_imports(places)
    if asks:
        ask_on_gcp(places, operation)
    os.chdir(ROOT)
    os.execv(line[0], list(line))  # noqa: S606 no shell is wanted
