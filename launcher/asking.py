"""What was done by hand and must not be undone unasked: a refresh and an `up` stop before it.

A refresh compares all that it reads anyhow. An `up` reads nothing by itself, as Pulumi's doesn't:
it compares what it is about to change, replace or delete, so that a run that changes little waits
little, and isn't stopped for what it leaves alone.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from pulumi import automation

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.console import show
from launcher.differences import Differences, compare, lines_of
from launcher.engine import open_stack_on_gcp, reason_of
from launcher.engine_events import record_into
from launcher.paths import StackPaths
from launcher.problem import LaunchError
from plans.plan import Recorder

OVERWRITE: Final = "overwrite"
"""The value of DRIFT that says yes beforehand."""
ASKING: Final = ("refresh", "up")
"""The operations that ask."""
_TOUCHES: Final = frozenset({"update", "replace", "delete"})
_ENGINES_OWN: Final = ("pulumi:", "inference:")


def touched(recorder: Recorder) -> list[str]:
    """Return the URNs of what is there and a preview would change, replace or delete."""
    return [
        urn
        for urn, each in recorder.steps.items()
        if each["operation"] in _TOUCHES and not each["type"].startswith(_ENGINES_OWN)
    ]


def ask(
    stack: automation.Stack,
    places: StackPaths,
    operation: str,
    preview: Recorder,
) -> None:
    """Ask whether to go on where the cloud has what must not be undone unasked.

    `preview` has what an `up` would do. Raises LaunchError where the answer is no, or nobody is
    there to give one.
    """
    only = touched(preview) if operation == "up" else None
    if only == []:
        return
    try:
        compared = compare(stack, places, places.recorded(), only=only)
    except automation.CommandError as problem:
        # The operation itself tells it, if it needs what can't be read.
        show(f"warning: not compared with the cloud: {reason_of(problem)}", sys.stderr)
        return
    _settle(compared, places, operation)


def ask_on_gcp(places: StackPaths, operation: str) -> None:
    """Do the same on Google Cloud, before the ordinary command begins."""
    stack, recorded, config = open_stack_on_gcp(places)
    only = None
    try:
        if operation == "up":
            recorder = Recorder()
            stack.preview(on_event=record_into(recorder), color="never", config_file=config)
            only = touched(recorder)
            if not only:
                return
        compared = compare(stack, places, recorded, config=config, only=only)
    except automation.CommandError:
        # The ordinary command comes to the same, and says it better.
        return
    _settle(compared, places, operation, " CLOUD=gcp")


def _settle(compared: Differences, places: StackPaths, operation: str, cloud: str = "") -> None:
    asked = [each for each in compared.found if each.ask]
    if not asked:
        return
    show(f"\nDone by hand to {places.stack}, and not to be undone unasked:", sys.stderr)
    show("\n".join(_lines(lines_of(compared, each) for each in asked)), sys.stderr)
    if sys.stdin.isatty() and _agreed(_EFFECTS[operation]):
        return
    on = make_command(f"{operation} STACK={places.stack}{cloud} DRIFT={OVERWRITE}")
    raise LaunchError(
        f"{plural(len(asked), 'change')} by hand: {operation} stopped before it changed anything. "
        f"To keep one, say the same in {places.config.name}; `{on}` goes on, and "
        f"{_EFFECTS[operation]}"
    )


_EFFECTS: Final = {
    "refresh": "takes them into the state, after which `up` undoes what the stack file has "
    "otherwise",
    "up": "undoes what the stack file has otherwise",
}


def _lines(several: Iterable[Sequence[str]]) -> Iterable[str]:
    return (line for lines in several for line in lines)


def _agreed(effect: str) -> bool:
    show(f"Go on? It {effect}. [y/N] ", sys.stderr)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
