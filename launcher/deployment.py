"""Read a stack's deployment: the sandbox's own file, or what the Pulumi CLI exports."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from launcher.places import ROOT, StackPlaces, plain_pulumi
from launcher.problem import LaunchError
from request_path.reading import Resource


def sandbox_resources(places: StackPlaces) -> list[Resource]:
    """Give the resources of a stack on the sandbox cloud; raises LaunchError where it isn't made.

    Its file is read as it stands, so that nothing has to be started.
    """
    try:
        state = json.loads(places.checkpoint.read_text())
    except FileNotFoundError:
        raise LaunchError(
            f"{places.stack} isn't there on the sandbox cloud yet: run `make up STACK="
            f"{places.stack}` first"
        ) from None
    except (OSError, ValueError) as problem:
        raise LaunchError(
            f"the state of {places.stack} can't be read ({problem}): run `make up STACK="
            f"{places.stack}`, which mends it"
        ) from problem
    return _resources(places.stack, state.get("checkpoint", {}).get("latest"), places.checkpoint)


def exported_resources(places: StackPlaces) -> list[Resource]:
    """Give the resources of a stack on Google Cloud, from the ordinary CLI's export."""
    line = [plain_pulumi(), "stack", "export", "--stack", places.stack]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LaunchError(
            f"`pulumi stack export --stack {places.stack}` failed: {done.stderr.strip()}"
        )
    return _resources(places.stack, json.loads(done.stdout).get("deployment"), None)


def _resources(stack: str, deployment: Any, file: Path | None) -> list[Resource]:
    found = cast("list[dict[str, Any]]", (deployment or {}).get("resources") or [])
    if not found:
        where = f" ({file})" if file else ""
        raise LaunchError(f"{stack} has no resources{where}: run `make up STACK={stack}` first")
    return list(resources_in(found))


def resources_in(found: list[dict[str, Any]]) -> Iterator[Resource]:
    """Give the resources of a deployment as the checks read them."""
    for each in found:
        # What the cloud answered goes before what was asked for.
        inputs: dict[str, object] = each.get("inputs") or {}
        outputs: dict[str, object] = each.get("outputs") or {}
        wired: Mapping[str, list[str] | None] = each.get("propertyDependencies") or {}
        yield Resource(
            type=each["type"],
            name=each["urn"].rpartition("::")[2],
            urn=each["urn"],
            props=inputs | outputs,
            # A provider reference is its URN and its id.
            provider=(each.get("provider") or "").rpartition("::")[0],
            wired=frozenset(urn for urns in wired.values() for urn in urns or ()),
        )
