"""The operations of a stack on the sandbox cloud: up, preview, refresh, destroy, export."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from pulumi import automation

from catalog.config_folder import make_command
from launcher import report
from launcher.asking import ASKING, ask
from launcher.console import Console, show
from launcher.engine import open_stack, platform_program, reason_of, watched
from launcher.engine_events import dependency_graph
from launcher.existing import put_existing
from launcher.faults import read_faults, ridden_out, to_do
from launcher.images import RUNS_IMAGES, image_source, own_images, push_placeholders
from launcher.imports import importing
from launcher.locks import exclusive
from launcher.outages import outages
from launcher.outcome import (
    allowed,
    causes_of,
    count_by_type,
    may_be_there,
    outcome,
    to_take_over,
)
from launcher.paths import StackPaths, checked, shown_file
from launcher.policy_server import policy_server
from launcher.preconditions import check_kept, check_unprotected, check_whole
from launcher.problem import InterruptedRunError, LaunchError
from launcher.progress import Progress
from launcher.pulumi_cli import JUDGED
from launcher.recovery import (
    clusters_may_be_gone,
    find_lost,
    is_behind,
    remedy,
    restore_state,
    unsettled,
)
from launcher.replacements import replacements_section
from launcher.served_demo import show_path
from launcher.shell import set_aside
from launcher.verify import verify
from plans.plan import Recorder, plan_of
from sandbox.kubernetes.references import dangling
from sandbox.providers import Servers, serve
from sandbox.world import LEFT, World

SHOWN = 40
"""So many lines of a plan are shown on a terminal; the log has all of them."""


@contextmanager
def opened(
    places: StackPaths,
    program: Callable[[], None] = platform_program,
    guard: Callable[[], None] = lambda: None,
) -> Generator[tuple[automation.Stack, Servers]]:
    """Yield the stack of `places`, held for this process, and the sandbox cloud serving it.

    `guard` is called before the engine is. Raises LaunchError if anything of the stack is in use,
    lost or damaged beyond repair, or if the engine fails.
    """
    places.prepare()
    with exclusive(places) as cleared, World(places.world) as world, set_aside():
        _tell((*cleared, *restore_state(places)))
        check_whole(places, world)
        guard()
        put_existing(places, world)
        _tell(find_lost(places, world))
        with serve(world, faults=read_faults(places)) as servers:
            stack = open_stack(places, servers.debug_providers, program)
            try:
                if is_behind(places, world):
                    with clusters_may_be_gone():
                        stack.refresh()
                yield stack, servers
            except automation.CommandError as problem:
                raise LaunchError(
                    f"the engine failed on {places.stack}: {reason_of(problem)}"
                    f"{remedy(str(problem), places)}"
                ) from problem


def up(places: StackPaths, *, skip_preview: bool = False, asks: bool = False) -> None:
    """Make the sandbox cloud as the config says, and print what was made.

    Without a preview before it, what the policies refuse may be refused after much was made. With
    `asks` it asks before it undoes what somebody did by hand (asking.py).
    """
    platform = checked(places)
    with run(
        *(places, "up", lambda: check_kept(places, platform)),
        ready=lambda world: push_placeholders(platform, world),
        skip_preview=skip_preview,
        asks=asks,
    ) as (progress, world):
        # What others made in a cluster is there once the cluster is.
        put_existing(places, world)
        assumed = assumed_of(world)
        screen = progress.screen
        resources = report.own_resources(progress)
        screen.tell(f"\n{report.changes_line(progress.changes, preview=False)}")
        screen.detail(
            f"\nResources of {places.stack} ({len(resources)}):\n{report.kinds_table(resources)}"
        )
        screen.tell(f"\nOutputs:\n{report.outputs_table(progress.outputs)}")
        screen.tell(f"\n{report.cost_section(resources, brief=screen.in_place)}")
        screen.tell(f"\n{report.policies_line(progress, places.environment)}")
        screen.detail(f"\n{report.assumptions_section(assumed)}{report.places_section(places)}")
        demo = make_command(f"demo STACK={places.stack}")
        screen.tell(f"Next: {demo}, which sends messages through it")


def take_over(places: StackPaths) -> None:
    """Take over what a file names, and make the rest; what would be replaced is refused before."""
    with importing(places):
        _preview(places)
        up(places, skip_preview=True)


def images(places: StackPaths) -> None:
    """Make all but what runs images of the environment, as the first step on Google Cloud does."""
    platform = checked(places)
    _preview(places)
    with run(
        *(places, "up", lambda: check_kept(places, platform)),
        exclude=list(RUNS_IMAGES),
        exclude_dependents=True,
    ) as (progress, world):
        push_placeholders(platform, world)
        progress.screen.tell(f"\n{report.changes_line(progress.changes, preview=False)}")
        progress.screen.tell("Stand-ins for the images:")
        for image in own_images(platform):
            progress.screen.tell(f"  {image}: {image_source(image)}")
        progress.screen.tell(f"Next: {make_command(f'up STACK={places.stack}')}")


def preview(places: StackPaths) -> None:
    """Print what `up` would change, what it would cost, and what the policies say."""
    if _preview(places):
        show(f"Next: {make_command(f'up STACK={places.stack}')}")


def _preview(places: StackPaths) -> bool:
    """Print a preview; return whether anything changes."""
    platform = checked(places)
    with run(places, "preview", lambda: check_kept(places, platform)) as (progress, _):
        _tell_plan(places, progress)
        progress.screen.tell(f"\n{report.policies_line(progress, places.environment)}")
        return bool(progress.changes)


def _tell_plan(places: StackPaths, progress: Progress) -> None:
    """Print what a preview found, also where a policy refuses it."""
    screen, recorded = progress.screen, places.recorded()
    resources = report.own_resources(progress)
    if screen.in_place:
        for line in progress.lines if len(progress.lines) <= SHOWN else ():
            screen.tell(line)
    screen.tell(f"\n{report.changes_line(progress.changes, preview=True)}")
    wired = dependency_graph(recorded)
    plan = plan_of(
        {"stack": places.stack, "steps": progress.recorder.steps, "now": wired, "then": wired}
    )
    for section in (outages(plan), replacements_section(plan)):
        if section:
            screen.tell(f"\n{section.rstrip()}")
    screen.tell(f"\n{report.cost_section(resources, brief=screen.in_place)}")
    screen.tell(f"\n{report.capacity_section(resources)}")
    if recorded:
        screen.tell(f"\n{report.cost_difference(recorded, resources)}")


def refresh(places: StackPaths, *, asks: bool = False) -> None:
    """Take what is in the sandbox cloud into the state; `asks` is that of `up`."""
    _made(places)
    with run(places, "refresh", asks=asks) as (progress, _):
        progress.screen.tell(f"\n{report.changes_line(progress.changes, preview=False)}")


def destroy(places: StackPaths) -> None:
    """Delete everything the state holds."""
    if not places.checkpoint.exists():
        raise LaunchError(f"{places.stack} isn't there on the sandbox cloud: nothing is deleted")
    with run(places, "destroy", lambda: check_unprotected(places)) as (progress, world):
        progress.screen.tell(f"\n{report.changes_line(progress.changes, preview=False)}")
        if left := [f"\n  - {each.id}" for each in world.all() if each.owner == LEFT]:
            told = "These stay on the cloud; before the next up, see docs/existing.md:"
            progress.screen.tell(f"{told}{''.join(left)}")


def export(places: StackPaths) -> None:
    """Print the deployment as JSON, and nothing else, on standard output."""
    _made(places)
    with opened(places) as (stack, _):
        deployment = stack.export_stack()
    json.dump({"version": deployment.version, "deployment": deployment.deployment}, sys.stdout)
    print()


def demo(places: StackPaths, answers: str = "") -> None:
    """Send messages through the stack's pipelines, and requests to its models where their path can
    be run; print what went where. `answers` says what answers, as for `serve`."""
    _there(places)
    _emulated(places, "demo")
    show_path(places, answers)
    report, serve = (make_command(f"{each} STACK={places.stack}") for each in ("report", "serve"))
    show(f"Next: {serve}, which runs the way to its large models, or {report}, what a change does")


def replay(places: StackPaths) -> None:
    """Publish the stack's dead letters again, to the topics they came from."""
    _there(places)
    _emulated(places, "replay")


def _emulated(places: StackPaths, name: str) -> None:
    # Its libraries take longer to load than a preview's first line.
    from emulator.demo import run

    with exclusive(places), World(places.world) as world:
        try:
            asyncio.run(getattr(run, name)(places.stack, world, places.home, tell=show))
        except run.DemoError as problem:
            raise LaunchError(str(problem)) from problem


OPERATIONS: dict[str, Callable[..., None]] = {
    "up": up,
    "preview": preview,
    "images": images,
    "import": take_over,
    "refresh": refresh,
    "destroy": destroy,
    "export": export,
    "demo": demo,
    "replay": replay,
    "verify": verify,
}


@contextmanager
def run(
    places: StackPaths,
    operation: str,
    guard: Callable[[], None] = lambda: None,
    ready: Callable[[World], None] = lambda _: None,
    *,
    skip_preview: bool = False,
    asks: bool = False,
    screen: Console | None = None,
    recorder: Recorder | None = None,
    **more: object,
) -> Generator[tuple[Progress, World]]:
    """Run one engine operation with its progress on standard output, or on `screen`; yield what
    came of it.

    `ready` is called with the sandbox cloud before the operation, which takes `more` arguments.
    `recorder` takes its steps, also of one that fails. Raises LaunchError if it fails.
    """
    failures: list[BaseException] = []

    program = watched(platform_program, failures)
    # Of what the engine excludes, the packs would see no inputs.
    is_judged = operation in JUDGED and "exclude" not in more
    # Refused before the engine starts where they couldn't judge.
    packs = places.policy_packs() if is_judged else []
    with ExitStack() as open_:
        screen = open_.enter_context(closing(screen or Console(places.log_of(operation))))
        screen.tell(f"{operation} of {places.stack} on the sandbox cloud ...")
        stack, servers = open_.enter_context(opened(places, program, guard))
        progress = Progress(
            operation == "preview",
            screen,
            len(places.recorded()),
            recorder=recorder or Recorder(),
        )
        steps = [(operation, progress)]
        if packs and operation == "up" and not skip_preview:
            # What is refused is refused before the first resource is made, as `pulumi up` does it.
            first = Progress(preview=True, screen=screen.muted(), about=progress.about)
            steps.insert(0, ("preview", first))
        options: dict[str, Any] = {"color": "never", **more}
        if packs:
            options["policy_packs"] = open_.enter_context(policy_server(stack, places, packs))
        ready(servers.world)
        before = count_by_type(servers.world)
        if operation == "destroy":
            servers.forget_lost()
        for step, watching in steps:
            if asks and step in ASKING:
                ask(stack, places, step, steps[0][1].recorder)
            with watching, _graceful_interrupt(watching, screen):
                try:
                    with unsettled(places, servers, step):
                        getattr(stack, step)(on_event=watching.on_event, **options)
                except automation.CommandError as problem:
                    done = outcome(places, operation, before, servers.world)
                    if watching.interrupted:
                        raise InterruptedRunError(done.interrupted) from problem
                    if operation == "preview" and progress.resources:
                        _tell_plan(places, progress)
                    causes = causes_of(places, failures, watching, problem)
                    raise LaunchError(
                        f"{operation} of {places.stack} failed:\n{causes}\n{done.failed}"
                        f"{allowed(places, watching)}{may_be_there(places, causes)}"
                        f"{to_take_over(places, causes)}{remedy(causes, places)}"
                        f"{to_do(servers.faults.befallen)}"
                    ) from problem
            progress.about = max(progress.about, len(watching.passed))
        befallen = servers.faults.befallen
        for line in ridden_out(befallen):
            screen.detail(f"  ridden out: {line}")
        if to_do(befallen):
            screen.tell(to_do(befallen))
        yield progress, servers.world
        if screen.in_place and screen.log:
            screen.tell(f"Every line of it: {shown_file(screen.log)}, or VERBOSE=1")


@contextmanager
def _graceful_interrupt(progress: Progress, screen: Console) -> Generator[None]:
    """Let Ctrl-C reach the engine alone, which then ends what it began and writes its state."""

    def ask(*_: object) -> None:
        progress.interrupted = True
        screen.tell("interrupted: ending what was begun; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def assumed_of(world: World) -> list[str]:
    """Return what the stack relies on outside its world.

    Raises LaunchError if a Kubernetes object names something that isn't there.
    """
    if lines := dangling(world):
        listed = "\n".join(f"  - {line}" for line in lines)
        raise LaunchError(
            f"Kubernetes accepts these objects, but what they name isn't there, so they do "
            f"nothing:\n{listed}\nthey were made and are in the state; nothing is "
            f"lost: fix that, then run `{make_command('up')}` again"
        )
    return sorted({assumption.subject for assumption in world.assumptions()})


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        show(line, sys.stderr)


def _made(places: StackPaths) -> None:
    if not places.checkpoint.exists():
        raise places.missing("yet")


def _there(places: StackPaths) -> None:
    _made(places)
    if not places.recorded():
        raise places.missing("any more")
