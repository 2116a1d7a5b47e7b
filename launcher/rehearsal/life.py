"""Rehearses the life of a stack, stage by stage, on copies, and says what came of it."""

import difflib
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from catalog.words import plural
from config.errors import ConfigError
from config.platform import Platform
from launcher.console import Console
from launcher.differences import lines_of
from launcher.drift import differences
from launcher.engine_events import dependency_graph
from launcher.existing import put_existing
from launcher.faults import asked_faults
from launcher.images import push_placeholders
from launcher.locks import exclusive
from launcher.operations import assumed_of, run
from launcher.outages import stopping
from launcher.paths import StackPaths, shown_file
from launcher.preconditions import check_kept, check_unprotected
from launcher.problem import InterruptedRunError, LaunchError
from launcher.rehearsal import changes
from launcher.rehearsal.by_hand import meddle
from launcher.rehearsal.places import Config, RehearsalPaths, copied, earlier
from launcher.rehearsal.steps import LIFE, Chapter, Stage, change
from launcher.stockout import consequences, stockout
from plans.plan import CHANGES, Plan, Recorder, plan_of
from plans.rehearsed import FAILED, PASSED, SKIPPED, Rehearsed, facts, headline, page
from sandbox.world import World

_SHOWN: Final = 5


def rehearse(places: StackPaths, start: str = "", end: str = "") -> None:
    """Rehearse the life of a stack, or a change of its file, and write a page of it.

    The change is from the file of `start` to that of `end`, each a file or a Git revision; the
    stack's own where one is missing. Nothing of the stack's own is touched. Raises LaunchError if a
    stage is not as it must be.
    """
    began = time.monotonic()
    folder = places.home / "rehearsal"
    screen = Console()
    with held(places):
        if start or end:
            files = [file_of(places, each) for each in (start, end)]
            subject = f"from {start or places.config.name} to {end or places.config.name}"
            life = Life(copied(places, folder, files[0]), screen)
            after = copied(places, folder / "to", files[1]).config_of()
            if after == life.base:
                raise LaunchError(
                    f"FROM, TO: found the same config {subject}; change it, or name another file "
                    "or Git revision"
                )
            chapters = change(life.base, after)
        else:
            subject = "its life"
            life, chapters = Life(copied(places, folder), screen), LIFE
        life.faults = asked_faults(places)
        life.platform()
        screen.tell(f"rehearsal of {places.stack}, {subject}, on the sandbox cloud ...")
        for chapter in chapters:
            if not life.is_over:
                life.tell(chapter)
        ended(life, folder, subject, began)


@contextmanager
def held(places: StackPaths) -> Generator[None]:
    """Hold the folder of a stack's rehearsals. Raises LaunchError if another has it."""
    home = places.home / "rehearsals"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive(replace(places, home=home)):
        yield


def file_of(places: StackPaths, given: str) -> Path | str:
    """Return the stack file that a variable means: a path, or the text of a revision.

    Raises LaunchError where there is neither.
    """
    if not given:
        return places.config
    if (file := Path(given)).is_file():
        return file
    line = ["git", "show", f"{given}:./{places.config.name}"]
    try:
        done = subprocess.run(
            line, cwd=places.config.parent, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise LaunchError(
            f"FROM, TO: found {given!r}, which is no file, and no git is on PATH to look for a "
            "revision: install git, or name a stack file"
        ) from None
    if done.returncode:
        why = done.stderr.strip().splitlines()[:1]
        raise LaunchError(
            f"FROM, TO: found {given!r}; allowed: a stack file, or a Git revision that has "
            f"{places.config.name} ({''.join(why)})"
        )
    return done.stdout


def ended(life: "Life", folder: Path, subject: str, began: float) -> None:
    """Write the page and tell where it is. Raises LaunchError if a stage failed."""
    stack, stages, screen = life.places.stack, life.stages, life.screen
    screen.status("")
    file = folder / "page.html"
    file.write_text(page(stack, stages, subject), encoding="utf-8")
    screen.tell(f"\n{headline(stack, stages, subject)}, in {time.monotonic() - began:.0f} s.")
    for line in facts(stages):
        screen.tell(f"  {line.replace('**', '')}")
    screen.tell(f"The page: {shown_file(file)}")
    if failed := [each.title for each in stages if each.verdict == FAILED]:
        raise LaunchError(f"the rehearsal of {stack} failed: {'; '.join(failed)}")


class UnsuitedError(Exception):
    """Says why a stage has nothing to happen to."""


@dataclass
class Life:
    """The copy of a stack, and what came of the stages so far."""

    places: RehearsalPaths
    screen: Console
    stages: list[Rehearsed] = field(default_factory=list[Rehearsed])
    is_over: bool = False
    """Whether a stage ended such that the next can't begin."""
    faults: Sequence[Mapping[str, Any]] = ()
    """Faults of every `up`, beside those of the stage."""

    _refused: list[str] = field(default_factory=list[str])
    _left_out: str = ""
    """The region that the stage at hand takes out of the config."""

    def __post_init__(self) -> None:
        try:
            self.base = self.places.config_of()
        except ConfigError as problem:
            raise LaunchError(str(problem)) from problem
        self.places.put_config(self.base)

    def platform(self) -> Platform:
        """Return what the config of the copy describes. Raises LaunchError with its mistakes."""
        try:
            return self.places.checked(self.places.config_of())
        except ConfigError as problem:
            raise LaunchError(str(problem)) from problem

    def tell(self, chapter: Chapter) -> None:
        """Let the stages of a chapter happen, by the first way that fits and isn't refused."""
        ways = list(self._fitting(chapter))
        if not ways:
            self._skip(chapter)
            return
        if chapter.allow:
            self.places.allow(chapter.allow)
        way = ways[0]
        for way in ways:
            if not self._is_refused(chapter.stages[0], way[0]) or way is ways[-1]:
                break
            self.is_over = False
            self.stages.pop()
            self.screen.tell("    refused before anything was made: another way is tried")
        if self.is_over:
            return
        # A way of one config may have several stages.
        last = way[-1]
        configs = [*way, *(last for _ in chapter.stages[len(way) :])]
        for stage, config in zip(chapter.stages[1:], configs[1:], strict=True):
            self.happen(stage, config)
            if self.is_over:
                return
        if chapter.lasts:
            self.base = last

    def _is_refused(self, stage: Stage, config: Config) -> bool:
        """Let the first stage happen; return whether it was refused before anything was made."""
        before = self.places.recorded()
        self.happen(stage, config)
        if not self.is_over or self.places.recorded() != before:
            return False
        self._refused.append(f"Another model first, and refused: {self.stages[-1].reason}")
        return True

    def _fitting(self, chapter: Chapter) -> Iterator[Sequence[Config]]:
        """Yield the ways whose configs are all valid."""
        for way in chapter.ways(self.base):
            try:
                for config in way:
                    self.places.checked(config)
            except ConfigError:
                continue
            yield way

    def _skip(self, chapter: Chapter) -> None:
        if chapter.gap:
            self._add_skipped(chapter.stages[0], chapter.without)

    def _add_skipped(self, stage: Stage, why: str) -> None:
        self.stages.append(Rehearsed(stage.key, stage.title, stage.about, SKIPPED, reason=why))
        self.screen.tell(f"  {stage.title:<42} NOT REHEARSED: {why}")

    def happen(self, stage: Stage, config: Config) -> None:
        """Let a stage happen, and tell what came of it."""
        began = time.monotonic()
        before = self.places.config_of()
        self.places.put_config(config)
        self._left_out = changes.region_left_out(before, config)
        self.screen.status(f"  {stage.title} ...")
        came = Rehearsed(stage.key, stage.title, stage.about, PASSED, config=_diff(before, config))
        try:
            came = _RUNS[stage.run](self, stage, came)
            reason = "; ".join(unexpected(stage, came))
        except UnsuitedError as why:
            self._add_skipped(stage, str(why))
            return
        except InterruptedRunError:
            raise
        except (LaunchError, ConfigError) as problem:
            self.is_over = True
            reason = str(problem)
        verdict = FAILED if reason else PASSED
        if verdict == PASSED:
            came = replace(came, troubles=(*self._refused, *came.troubles))
            self._refused.clear()
        seconds = time.monotonic() - began
        came = replace(came, verdict=verdict, reason=reason, seconds=seconds)
        self.stages.append(came)
        self._show(came)

    def _show(self, came: Rehearsed) -> None:
        told = [came.did or came.verdict, *([came.takes] if came.takes else [])]
        if came.stops:
            told.append(f"stops serving: {len(came.stops)}")
        if came.verdict == FAILED:
            told.append("FAILED")
        self.screen.tell(f"  {came.title:<42} {'; '.join(told)} ({came.seconds:.0f} s)")

    def up(self, stage: Stage, came: Rehearsed) -> Rehearsed:
        """Run `up` as users do, with the preview before it; again where the cloud failed it."""
        if not (stage.faults or self.faults):
            return self.act("up", stage, came)
        before, first, again = self.places.recorded(), Recorder(), Recorder()
        self.places.prepare()
        faults = [
            {key: value.format(region=self._left_out) for key, value in each.items()}
            for each in stage.faults
        ]
        plan = {"faults": [*faults, *self.faults]}
        self.places.faults.write_text(yaml.safe_dump(plan), encoding="utf-8")
        try:
            done = self.act("up", stage, came, first)
        except LaunchError as problem:
            troubles = [*str(problem).splitlines(), "`make up` again went on from there."]
        else:
            if not stage.faults:
                return done
            raise LaunchError("expected that the cloud fails it at first, and it did not")
        finally:
            self.places.faults.unlink()
        came = self.act("up", stage, came, again)
        kept = {
            urn: each for urn, each in first.steps.items() if not _changes(again.steps.get(urn))
        }
        whole = Recorder({**again.steps, **kept})
        came = replace(
            came, plan=plan_between(self.places.stack, before, self.places.recorded(), whole)
        )
        if self._left_out:
            notes = (f"Left out: {self._left_out}.", *self._failover())
            return replace(came, troubles=tuple(troubles), notes=(*notes, *came.notes))
        if stage.faults:
            troubles += self._stockouts()
        return replace(came, troubles=tuple(troubles))

    def _failover(self) -> Iterator[str]:
        """Yield which clients reach another region by themselves."""
        consumers = self.platform().consumers
        sent = [name for name, each in consumers.items() if each.failover is not None]
        if sent:
            yield f"Clients of {', '.join(sent)} are answered by the regions that are left."
        if others := [name for name in consumers if name not in sent]:
            yield f"Clients of {', '.join(others)} must ask in another region by its own name."

    def _stockouts(self) -> Iterator[str]:
        """Yield what it does to the models if each GPU pool is out of stock in a region."""
        platform = self.platform()
        for pool in platform.gpu_pools:
            for region in platform.regions:
                if platform.gpu_pools[pool].is_in(region):
                    out = stockout(f"{region}/{pool}", platform)
                    for line in consequences(out, platform):
                        yield f"Without {pool} in {region}, on paper: {line.strip()}"

    def upgrade(self, stage: Stage, came: Rehearsed) -> Rehearsed:
        """Run `up` on the state that an earlier release recorded of this stack."""
        copy = earlier(self.places, self.places.config.parent / "earlier")
        if copy is None:
            raise UnsuitedError("no release recorded a state of it in tests/upgrades")
        of, ours = copy.project, self.places.project
        if of != ours:
            raise UnsuitedError(f"the recorded state is of the project {of}, not of {ours}")
        copy.put_config(self.base)
        return Life(copy, self.screen).act("up", stage, came)

    def preview(self, stage: Stage, came: Rehearsed) -> Rehearsed:
        """Run a preview alone."""
        return self.act("preview", stage, came)

    def destroy(self, stage: Stage, came: Rehearsed) -> Rehearsed:
        """Delete all, and say what stays."""
        return self.act("destroy", stage, came)

    def drift(self, stage: Stage, came: Rehearsed) -> Rehearsed:
        """Change the cloud by hand, find it, and put it back."""
        with World(self.places.world) as world:
            notes = list(meddle(world))
        compared = differences(self.places, "sandbox")
        found = tuple(line.strip() for each in compared.found for line in lines_of(compared, each))
        if len(compared.found) != len(notes):
            raise LaunchError(
                f"{plural(len(notes), 'resource')} changed by hand, {len(compared.found)} found"
            )
        self.act("refresh", stage, came)
        came = self.act("up", stage, came)
        left = differences(self.places, "sandbox").found
        if left:
            raise LaunchError(f"{plural(len(left), 'resource')} differ after the repair")
        return replace(came, notes=(*notes, *(f"Found: {each}" for each in found), *came.notes))

    def act(
        self, operation: str, stage: Stage, came: Rehearsed, recorder: Recorder | None = None
    ) -> Rehearsed:
        """Let the engine do one operation; `recorder` takes its steps, also if it fails."""
        before, recorder = self.places.recorded(), recorder or Recorder()
        platform = self.platform()
        notes: list[str] = []

        def guard() -> None:
            if operation in ("up", "preview"):
                check_kept(self.places, platform)
            if operation == "destroy":
                check_unprotected(self.places)

        def ready(world: World) -> None:
            push_placeholders(platform, world)

        with run(
            *(self.places, operation, guard, ready),
            screen=self.screen.muted(self.places.config.parent / "logs" / f"{stage.key}.log"),
            recorder=recorder,
        ) as (progress, world):
            if operation == "up":
                put_existing(self.places, world)
                assumed_of(world)
            if operation in ("up", "preview"):
                notes += [f"Advisory: {each}" for each in progress.advice[:_SHOWN]]
        plan = plan_between(self.places.stack, before, self.places.recorded(), recorder)
        stops = tuple(stopping(plan)) if operation != "destroy" else ()
        return replace(came, plan=plan, stops=stops, notes=tuple(notes))


_RUNS: Final[Mapping[str, Callable[[Life, Stage, Rehearsed], Rehearsed]]] = {
    "up": Life.up,
    "preview": Life.preview,
    "destroy": Life.destroy,
    "drift": Life.drift,
    "upgrade": Life.upgrade,
}


def _changes(step: Mapping[str, Any] | None) -> bool:
    return step is not None and step["operation"] in CHANGES


def plan_between(
    stack: str,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    recorder: Recorder,
) -> Plan:
    """Return what was done between two states."""
    wired = [dependency_graph(each) for each in (after, before)]
    return plan_of({"stack": stack, "steps": recorder.steps, "now": wired[0], "then": wired[1]})


def unexpected(stage: Stage, came: Rehearsed) -> Iterator[str]:
    """Yield what came of a stage otherwise than its table says."""
    if came.plan is None:
        return
    if stage.may and not came.plan.changes:
        yield "expected a change, and nothing changed"
    for operation in CHANGES:
        found = [
            each
            for each in came.plan.changes
            if each.operation == operation
            and (operation not in stage.may or (stage.types and each.type not in stage.types))
            and not each.type.startswith(("pulumi:", "inference:"))
        ]
        if found:
            named = ", ".join(each.label for each in found[:_SHOWN])
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            yield f"expected no {operation} of {named}{more}"
    if stage.serves and came.stops:
        yield f"expected that all goes on serving: {came.stops[0]}"


def _diff(before: Config, after: Config) -> tuple[str, ...]:
    """Return what changes in the stack file, with little around it."""
    old, new = (
        yaml.safe_dump(dict(each), sort_keys=False).splitlines() for each in (before, after)
    )
    return tuple(difflib.unified_diff(old, new, lineterm="", n=2))[2:]
