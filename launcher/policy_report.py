"""What the policy packs say of a stack, as a report: of a preview, or of an exported state."""

import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.events import EngineEvent

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.console import Console, show
from launcher.engine import message_of, open_stack_on_gcp, platform_program, watched
from launcher.operations import opened
from launcher.paths import StackPaths, shown_file
from launcher.policy_server import policy_server
from launcher.preconditions import stopped_by_protection, without_protected
from launcher.problem import LaunchError
from launcher.progress import Progress
from policies import report
from policies.engine.config import PolicyConfigError
from policies.engine.event_log import VARIABLE
from policies.reports.run import Run, of_event_log
from resources.exports import ExportError

FORMATS = tuple(report.FORMATS)
OnEvent = Callable[[EngineEvent], None]
Recorded = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Judged:
    """What the packs say of a preview, and the resources there were before it."""

    run: Run
    recorded: Recorded
    refused: str
    """Why `up` would be refused though the preview has all of it: for what is protected."""


@dataclass(frozen=True)
class _Failure:
    text: str
    protected: bool
    """Whether the engine refused nothing but to delete what is protected."""


def policy(places: StackPaths, cloud: str, form: str, state: Path | None) -> None:
    """Print the report in `form` and write it in every form under the stack's folder.

    Without `state` the packs judge a real preview, else the exported state in that file. Raises
    LaunchError if anything mandatory is violated, or if the packs could not judge.
    """
    try:
        run = _of_state(places, state) if state else _of_preview(places, cloud)
    except (PolicyConfigError, ExportError) as problem:
        raise LaunchError(str(problem)) from problem
    folder = places.home / "policy"
    report.write(run, folder)
    text = report.FORMATS[form][1](run).removesuffix("\n")
    if form == "text":
        show(text)
    else:
        print(text)
    show(f"The report in every form: {shown_file(folder)}", sys.stderr)
    if run.violations:
        raise LaunchError(
            f"{plural(len(run.violations), 'violation')}: `{make_command('up')}` would be refused"
        )


def _of_state(places: StackPaths, state: Path) -> Run:
    return report.of_state(state, str(places.environment))


def _of_preview(places: StackPaths, cloud: str) -> Run:
    found = judged(places, cloud)
    if found.refused and not found.run.violations:
        raise LaunchError(found.refused)
    return found.run


def judged(places: StackPaths, cloud: str, on_event: OnEvent = lambda _: None) -> Judged:
    """Return what the packs say of a preview.

    Raises LaunchError if the preview fails for another reason than a violation or protection.
    """
    event_log = places.home / "policy" / "event_log"
    event_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    event_log.unlink(missing_ok=True)
    preview = _preview_on_gcp if cloud == "gcp" else _preview
    with _event_log_in(event_log):
        failure, recorded = preview(places, on_event)
    run = of_event_log(event_log)
    protected = failure is not None and failure.protected
    if failure and not protected and not run.violations:
        raise LaunchError(failure.text)
    return Judged(run, recorded, failure.text if failure and protected else "")


@contextmanager
def _event_log_in(file: Path) -> Generator[None]:
    os.environ[VARIABLE] = str(file)
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def _preview(places: StackPaths, on_event: OnEvent) -> tuple[_Failure | None, Recorded]:
    """Run a preview on the sandbox cloud; return why it failed, if it did."""
    packs = places.policy_packs()  # refuses an environment that can't be used, before anything
    failures: list[BaseException] = []
    program = watched(platform_program, failures)
    show(f"preview of {places.stack} on the sandbox cloud ...", sys.stderr)
    with opened(places, program) as (stack, _), policy_server(stack, places, packs):
        recorded = places.recorded()
        return _previewed(stack, places, packs, on_event, failures), recorded


def _preview_on_gcp(places: StackPaths, on_event: OnEvent) -> tuple[_Failure | None, Recorded]:
    """Run a preview by the ordinary CLI and the project's own backend."""
    stack, recorded, config = open_stack_on_gcp(places)
    packs = places.policy_packs()
    return _previewed(stack, places, packs, on_event, [], config=config), recorded


def _previewed(
    stack: automation.Stack,
    places: StackPaths,
    packs: list[str],
    on_event: OnEvent,
    failures: list[BaseException],
    *,
    config: str | None = None,
) -> _Failure | None:
    progress = Progress(preview=True, screen=Console(out=sys.stderr))

    def take(event: EngineEvent) -> None:
        progress.on_event(event)
        on_event(event)

    with progress:
        try:
            stack.preview(
                on_event=take,
                color="never",
                policy_packs=packs,
                config_file=config,
            )
        except automation.CommandError as problem:
            causes = [message_of(each) for each in failures]
            causes = causes or without_protected(progress.errors, places) or [str(problem)]
            protected = not failures and stopped_by_protection(progress.errors)
            return _Failure("\n".join(dict.fromkeys(causes)), protected)
    return None
