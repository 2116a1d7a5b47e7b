"""What a killed run leaves: a state that is half written, or knows less than the sandbox holds.

The engine writes the state once, at the end: to write it at every step takes longer than
everything else. What a killed run made is found by comparing the state with the world.
"""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from catalog.words import plural
from launcher.paths import StackPaths, read_state
from launcher.problem import LaunchError
from sandbox.kubernetes.cluster import DELETE_UNREACHABLE
from sandbox.providers import Servers
from sandbox.world import LEFT, CloudResource, World

_OTHER: Final = (
    "another version of the engine wrote the state: run the release of this program that did, after"
    " its `make setup`, or remove {home} to start afresh"
)
_REMEDIES: Final = {
    "unsupported checkpoint version": _OTHER,
    "needs support for the following features": _OTHER,
    "incorrect passphrase": (
        "{passphrase} is not what the state was encrypted with: put that back, or remove {home} to"
        " start afresh"
    ),
}


def restore_state(places: StackPaths) -> list[str]:
    """Put the state before the last run in place of one that can't be read; return what it did.

    The engine keeps that copy beside the state. Raises LaunchError if neither can be read.
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
    places.unsettled.touch()
    damaged = state.with_name(f"{state.name}.damaged")
    state.replace(damaged)
    shutil.copyfile(backup, state)
    return [f"the state was half written: went back to the run before (kept as {damaged})"]


def _readable(file: Path) -> bool:
    try:
        state = read_state(file)
    except (OSError, ValueError):
        return False
    return file.suffix == ".attrs" or _is_whole(state)


def _is_whole(state: Any) -> bool:
    """Return whether a file holds a deployment, in which all is there that its resources need.

    The engine refuses another one as a defect of its own.
    """
    try:
        resources = (state["checkpoint"].get("latest") or {}).get("resources") or []
        before: set[str] = set()
        for each in resources:
            needed = {each.get("parent"), *(each.get("dependencies") or ())} - {None, ""}
            if not each["type"] or needed - before:
                return False
            before.add(each["urn"])
    except (AttributeError, KeyError, TypeError):
        return False
    return True


def remedy(told: str, places: StackPaths) -> str:
    """Return how to go on after what the engine says of a state that it can't open, or ''."""
    for words, line in _REMEDIES.items():
        if words in told:
            return f"\n{line.format(passphrase=places.passphrase_file, home=places.home)}"
    return ""


@contextmanager
def unsettled(places: StackPaths, servers: Servers, operation: str) -> Generator[None]:
    """Around an operation of the engine: that it ended well is known to the next run.

    After a whole `up`, what no program asked for again is deleted. What the engine let go of and
    didn't delete stays, and the next run finds it there.
    """
    if operation == "preview":
        yield
        return
    places.unsettled.touch()
    # An engine that fails has as a rule noted what it made; one that is killed has not.
    yield
    if operation == "up":
        servers.forget_lost()
    if not servers.has_lost:
        places.unsettled.unlink(missing_ok=True)
        for each in unrecorded(places, servers.world):
            servers.world.put(replace(each, owner=LEFT))


def find_lost(places: StackPaths, world: World) -> list[str]:
    """Mark as lost what a killed run made and the state doesn't hold; return a line about it.

    Making it again adopts it.
    """
    if not places.unsettled.exists():
        return []
    lost = unrecorded(places, world)
    world.lost = {resource.key: resource for resource in lost}
    if not lost:
        return []
    made = plural(len(lost), "resource")
    return [f"an interrupted run made {made} more than it noted: taking them up"]


def unrecorded(places: StackPaths, world: World) -> list[CloudResource]:
    """Return what was made and the state doesn't hold."""
    known = {_key(each["type"], each.get("id", ""), each["urn"]) for each in places.recorded()}
    return [
        resource
        for resource in world.all()
        if resource.owner == "pulumi" and _key_of(resource) not in known
    ]


def is_behind(places: StackPaths, world: World) -> bool:
    """Return whether the state holds what a killed run deleted."""
    if not places.unsettled.exists():
        return False
    held = {_key_of(resource) for resource in world.all()}
    return any(
        _key(each["type"], each.get("id", ""), each["urn"]) not in held
        for each in places.recorded()
        if each.get("custom")
    )


@contextmanager
def clusters_may_be_gone() -> Generator[None]:
    """Within it, objects of a cluster that a killed run deleted are gone with it, as the provider's
    own setting has it: else nothing that the state holds of them can be read."""
    before = os.environ.get(DELETE_UNREACHABLE)
    os.environ[DELETE_UNREACHABLE] = "true"
    try:
        yield
    finally:
        os.environ.pop(DELETE_UNREACHABLE)
        if before is not None:
            os.environ[DELETE_UNREACHABLE] = before


def _key_of(resource: CloudResource) -> tuple[str, str, str]:
    return _key(resource.type, resource.id, resource.urn)


def _key(type_: str, id_: str, urn: str) -> tuple[str, str, str]:
    """Return what a resource is known by: clusters share ids of objects, so those go by URN."""
    return type_, id_, urn if type_.startswith("kubernetes:") else ""
