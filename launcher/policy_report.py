"""What the policy packs say of a stack, as a report: of a preview, or of an exported state."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation

from launcher.engine import message_of, platform_program, watched
from launcher.judging import judged
from launcher.operations import opened
from launcher.places import ROOT, StackPlaces
from launcher.problem import LaunchError
from launcher.progress import Progress
from launcher.pulumi_cli import command_line
from policies import report
from policies.engine.config import PolicyConfigError
from policies.engine.event_log import VARIABLE
from policies.reports.run import Run, of_event_log
from resources.exports import ExportError

FORMATS = tuple(report.FORMATS)


def policy(places: StackPlaces, cloud: str, form: str, state: Path | None) -> None:
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
    print(report.FORMATS[form][1](run), end="")
    print(f"The report in every form: {folder}", file=sys.stderr)
    if run.violations:
        raise LaunchError(f"{len(run.violations)} violations: `make up` would be refused")


def _of_state(places: StackPlaces, state: Path) -> Run:
    return report.of_state(state, str(places.environment))


def _of_preview(places: StackPlaces, cloud: str) -> Run:
    event_log = places.home / "policy" / "event_log"
    event_log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    event_log.unlink(missing_ok=True)
    preview = _preview_on_gcp if cloud == "gcp" else _preview
    with _event_log_in(event_log):
        failure = preview(places)
    run = of_event_log(event_log)
    if failure and not run.violations:
        raise LaunchError(failure)
    return run


@contextmanager
def _event_log_in(file: Path) -> Generator[None]:
    os.environ[VARIABLE] = str(file)
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def _preview(places: StackPlaces) -> str:
    """Run a preview on the sandbox cloud; return why it failed, if it did."""
    failures: list[BaseException] = []
    program = watched(platform_program, failures)
    places.policy_packs()
    print(f"preview of {places.stack} on the sandbox cloud ...", file=sys.stderr, flush=True)
    progress = Progress(preview=True, out=sys.stderr)
    with opened(places, program) as (stack, _), judged(stack, places) as packs, progress:
        try:
            stack.preview(on_event=progress.on_event, color="never", policy_packs=packs)
        except automation.CommandError as problem:
            causes = [message_of(each) for each in failures] or progress.errors or [str(problem)]
            return "\n".join(dict.fromkeys(causes))
    return ""


def _preview_on_gcp(places: StackPlaces) -> str:
    done = subprocess.run(
        list(command_line("preview", places)), cwd=ROOT, stdout=sys.stderr, check=False
    )
    return "" if done.returncode == 0 else f"the preview failed with {done.returncode}, see above"
