"""What an operation that did not end well was refused for, what it did before, and how to go on.

What it did is told by the sandbox cloud, before and after: the engine's events also count what is
no resource of a cloud, and may come late.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pulumi import automation

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.engine import message_of, reason_of
from launcher.paths import StackPaths
from launcher.preconditions import without_protected
from launcher.progress import NOISE, Progress
from launcher.recovery import unrecorded
from launcher.report import allowing
from sandbox.world import CloudResource, Key, World

_THERE: Final = re.compile("The resource '([^']+)' already exists")
Census = Mapping[Key, CloudResource]


@dataclass(frozen=True)
class Outcome:
    """The last lines of a message: of a failed operation, or of one that its user stopped."""

    failed: str
    interrupted: str


def causes_of(
    places: StackPaths,
    failures: Iterable[BaseException],
    progress: Progress,
    problem: automation.CommandError,
) -> str:
    """Return why the operation failed, a point for each cause: of the program, the policies, the
    cloud."""
    messages = [message_of(each) for each in failures]
    own = [message for message in messages if not message.startswith(NOISE)]
    said = own or progress.violations or without_protected(progress.errors, places)
    causes = dict.fromkeys(said or [reason_of(problem)])
    return "\n".join(f"  - {cause}".replace("\n", "\n    ") for cause in causes)


def allowed(places: StackPaths, progress: Progress) -> str:
    """Return where the policies can be told otherwise, where they refused."""
    if not progress.violations:
        return ""
    return f"\n{allowing(progress.violations, places.environment)}"


def may_be_there(places: StackPaths, causes: str) -> str:
    """Return how to say that something is there, where the sandbox cloud missed something."""
    if ", notFound" not in causes:
        return ""
    return f"\nwhat others made is there once {places.existing.name} says so: see docs/existing.md"


def to_take_over(places: StackPaths, causes: str) -> str:
    """Return how to go on where the cloud has something that was to be made."""
    found = _THERE.findall(causes)
    if not found:
        return ""
    keys = any("/keyRings/" in each for each in found)
    other = f", or name the key in encryption.keys of {places.config.name}" if keys else ""
    return (
        f"\nto take over what is there, name it in {places.imports.name} and run "
        f"`{make_command(f'import STACK={places.stack}')}`{other}: see docs/existing.md"
    )


def count_by_type(world: World) -> Census:
    """Return what the engine made in the world; controllers follow it."""
    return {each.key: each for each in world.all() if each.owner == "pulumi"}


def outcome(places: StackPaths, operation: str, before: Census, world: World) -> Outcome:
    """Return what the operation did since `before`, and how to go on."""
    if operation == "preview":
        return Outcome("nothing was changed", "nothing was changed")
    again = f"`{make_command(f'{operation} STACK={places.stack}')}`"
    done = _done(before, count_by_type(world))
    if not done:
        nothing = "nothing was made, changed or deleted"
        return Outcome(
            f"{nothing}: fix that, then run {again} again", f"{nothing}: {again} begins anew"
        )
    kept = f"done before that: {done}. {_known(places, world)}; nothing is lost: {again} goes on"
    return Outcome(f"{kept} once that is fixed", kept)


def _done(before: Census, now: Census) -> str:
    counts = {
        "made": len(now.keys() - before.keys()),
        "changed": sum(before[key] != now[key] for key in before.keys() & now.keys()),
        "deleted": len(before.keys() - now.keys()),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _known(places: StackPaths, world: World) -> str:
    try:
        unknown = len(unrecorded(places, world))
    except (OSError, ValueError):
        return f"The state ({places.state}) can't be read: the next run goes back to the one before"
    if unknown:
        lacking = plural(unknown, "resource")
        return f"The state ({places.state}) lacks {lacking}: the next run takes them up"
    return f"The state ({places.state}) knows of it"
