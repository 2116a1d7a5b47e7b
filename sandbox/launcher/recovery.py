"""What a killed run leaves: a half-written state, and operations that were begun and not ended."""

import json
import shutil
from pathlib import Path
from typing import Any

from pulumi import automation

from sandbox.launcher.places import StackPlaces
from sandbox.launcher.problem import LaunchError
from sandbox.world import World


def restore_state(places: StackPlaces) -> list[str]:
    """Puts the state before the last step in place of one that can't be read; returns what it did.

    The engine keeps that copy beside the state. What the last step made is adopted afterwards, by
    `settle_lost_operations`. Raises LaunchError if neither can be read.
    """
    state = places.checkpoint
    # The backend keeps each file's type and checksum beside it, and does without.
    for attributes in state.parent.glob("*.attrs"):
        if not _readable(attributes):
            attributes.unlink()
    if not state.exists() or _readable(state):
        return []
    backup = state.with_name(f"{state.name}.bak")
    if not _readable(backup):
        raise LaunchError(
            f"the state of {places.stack} can't be read, nor the copy beside it: {state}. Put back "
            f"a copy of your own, or remove {places.home} to start afresh"
        )
    damaged = state.with_name(f"{state.name}.damaged")
    state.replace(damaged)
    shutil.copyfile(backup, state)
    return [f"the state was half written: went back to the step before (kept as {damaged})"]


def _readable(file: Path) -> bool:
    try:
        json.loads(file.read_text())
    except (OSError, ValueError):
        return False
    return True


def settle_lost_operations(stack: automation.Stack, world: World, places: StackPlaces) -> list[str]:
    """Adopts what a killed run made after the state was last written; returns a line for each.

    A resource that the cloud made and the state doesn't hold would be made a second time by the
    next `up`, and refused as already existing.
    """
    if (
        not places.checkpoint.exists()
        or '"pending_operations"' not in places.checkpoint.read_text()
    ):
        return []
    exported = stack.export_stack()
    deployment: dict[str, Any] = {**(exported.deployment or {})}
    pending: list[dict[str, Any]] = deployment.pop("pending_operations", None) or []
    known = {resource["urn"] for resource in deployment.get("resources", [])}
    settled: list[str] = []
    for operation in pending:
        resource: dict[str, Any] = operation["resource"]
        made = world.find_urn(resource["urn"])
        if operation["type"] == "creating" and made is not None and resource["urn"] not in known:
            adopted = {**resource, "id": made.id, "outputs": dict(made.outputs)}
            deployment["resources"].append(adopted)
            settled.append(f"adopted {made.id}, which an interrupted run had made")
        else:
            settled.append(f"an interrupted {operation['type']} of {resource['urn']} is done again")
    stack.import_stack(automation.Deployment(version=exported.version or 3, deployment=deployment))
    return settled
