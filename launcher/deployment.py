"""Read a stack's deployment: the sandbox's own file, or what the Pulumi CLI exports."""

import subprocess

from catalog.config_folder import make_command
from launcher.paths import ROOT, StackPaths, plain_pulumi
from launcher.problem import LaunchError
from resources.exports import deployed, parse
from resources.resource import Stack


def sandbox_resources(places: StackPaths) -> Stack:
    """Return the resources of a stack on the sandbox cloud; raises LaunchError where it isn't made.

    Its file is read as it stands, so that nothing has to be started.
    """
    if not places.checkpoint.exists():
        raise places.missing("yet")
    try:
        return _deployed(places.stack, places.checkpoint.read_text())
    except (OSError, ValueError) as problem:
        raise LaunchError(
            f"{places.checkpoint}: {problem}: run "
            f"`{make_command(f'up STACK={places.stack}')}`, which restores the state"
        ) from problem


def exported_resources(places: StackPaths) -> Stack:
    """Return the resources of a stack on Google Cloud, from the ordinary CLI's export."""
    line = [plain_pulumi(), "stack", "export", "--stack", places.stack]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LaunchError(
            f"`pulumi stack export --stack {places.stack}` failed: {done.stderr.strip()}"
        )
    return _deployed(places.stack, done.stdout)


def _deployed(stack: str, text: str) -> Stack:
    found = deployed(parse(text))
    if not found:
        raise LaunchError(
            f"{stack} has no resources: run `{make_command(f'up STACK={stack}')}` first"
        )
    return found
