"""`make demo` and `make replay`: a stack's pipelines at work on the sandbox cloud."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog.config_folder import make_command
from catalog.words import plural
from emulator.demo.batches import ask_gateway as ask_gateway_by_batch
from emulator.demo.batches import batches
from emulator.demo.batches import play as play_batch
from emulator.demo.calls import chat, invoker_checks, share_checks
from emulator.demo.checks import Check, checks_of
from emulator.demo.page import add_requests, write_page
from emulator.demo.pipelines import Pipeline, pipelines
from emulator.demo.quality import play_scans
from emulator.demo.sinks import sink_checks
from emulator.demo.training import loops, play
from emulator.runtime.emulator import Emulator, emulate
from emulator.runtime.model_endpoint import ModelEndpoint
from sandbox.world import World

PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 0.25
_LLM = "llm_backend"
_PAGE = "demo.html"
_COLUMNS = ("seconds", "published", "handled", "failed", "dead", "predicted", "archived", "skipped")
_LABEL = 60

Tell = Callable[[str], None]


class DemoError(Exception):
    """Why a demo could not run, or what of it went wrong."""


class _Board:
    """Prints a line whenever a count has changed."""

    def __init__(
        self, emulator: Emulator, done: Sequence[Pipeline], events: Counter[str], tell: Tell
    ) -> None:
        self._tell = tell
        self._emulator = emulator
        self._done = done
        self._events = events
        self._began = time.monotonic()
        self._ahead = emulator.clock.ahead
        self._last: tuple[int, ...] = ()
        tell(" ".join(f"{column:>9}" for column in _COLUMNS))

    def show(self) -> None:
        """Print the counts."""
        emulator = self._emulator
        states: Counter[str] = Counter()
        for pipeline in self._done:
            states += emulator.broker.states(pipeline.push.id, pipeline.ids)
        counts = (
            sum(len(pipeline.ids) for pipeline in self._done),
            states["acked"],
            self._events["failed"],
            states["dead"],
            sum(len(pipeline.rows(emulator)) for pipeline in self._done),
            sum(len(pipeline.archived()) for pipeline in self._done),
        )
        if counts != self._last:
            self._last = counts
            seconds = time.monotonic() - self._began
            skipped = f"{emulator.clock.ahead - self._ahead:.0f} s"
            cells = [f"{seconds:.1f}", *map(str, counts), skipped]
            self._tell(" ".join(f"{cell:>9}" for cell in cells))


async def demo(
    stack: str, world: World, home: Path, patience: float = PATIENCE_SECONDS, tell: Tell = print
) -> None:
    """Send messages through every pipeline and print where they went.

    Raises DemoError when any count is wrong.
    """
    events: Counter[str] = Counter()
    done: list[Pipeline] = []

    def on_event(what: str, subscription: str, detail: str) -> None:
        events[what.partition(":")[0]] += 1
        for pipeline in done:
            if what == "filed" and subscription in {each.id for each in pipeline.archives}:
                pipeline.files.append(Path(detail))

    async with emulate(world, home, skip=True, on_event=on_event) as emulator:
        found = _found(stack, emulator)
        # What a demo that was stopped has left would be taken for messages of this one.
        emulator.deliveries.wake()
        await _until_settled(emulator, lambda: None, patience)
        events.clear()
        done += found
        tell(
            f"demo of {stack} on the sandbox cloud: retries and archives at the stack's own "
            "times, waits are skipped"
        )
        _introduce(emulator, done, tell)
        for pipeline in done:
            pipeline.publish(emulator)
        emulator.deliveries.wake()
        board = _Board(emulator, done, events, tell)
        await _until_handled(emulator, done, board, patience)
        for pipeline in done:
            pipeline.repeat(emulator)
        emulator.deliveries.wake()
        await _until_settled(emulator, board.show, patience)
        checks = [check for pipeline in done for check in checks_of(emulator, pipeline)]
        for pipeline in done:
            checks += await sink_checks(emulator, pipeline)
        replies: list[str] = []
        for hosted in emulator.hosted:
            checks += await invoker_checks(emulator, hosted)
            checks += await share_checks(emulator, hosted)
            if hosted.folder == _LLM:
                answers, replies_of_model = await chat(emulator, hosted)
                checks += answers
                replies += replies_of_model
        checks += play_scans(emulator, done, tell)
        for loop in loops(emulator, done, tell):
            checks += await play(loop)
        for batch in batches(emulator):
            checks += await play_batch(batch, tell)
        page = home / _PAGE
        write_page(page, emulator, done, checks, replies)
        _conclude(checks, replies, page, tell)


async def ask_gateway(
    world: World, home: Path, gateway: ModelEndpoint
) -> tuple[list[Check], list[str]]:
    """Chat with the services that ask the stack's gateway, which is at an endpoint. Return checks
    and replies."""
    checks: list[Check] = []
    replies: list[str] = []
    async with emulate(world, home, skip=True, gateway=gateway) as emulator:
        for hosted in emulator.hosted:
            service = hosted.service
            if hosted.folder != _LLM or not gateway.is_asked_by(service):
                continue
            answers, replies_of_model = await chat(emulator, hosted)
            checks += answers
            replies += replies_of_model
        for batch in batches(emulator):
            if gateway.is_asked_by(batch.running.job):
                checks += await ask_gateway_by_batch(batch)
    return checks, replies


def conclude_requests(
    home: Path, requests: Path, checks: Sequence[Check], replies: Sequence[str], tell: Tell = print
) -> None:
    """Print what services got, and add it to the demo's page with a link to that of all requests.

    Raises DemoError when any count is wrong.
    """
    page = home / _PAGE
    add_requests(page, requests, checks, replies)
    _conclude(checks, replies, page, tell)


async def replay(
    stack: str, world: World, home: Path, patience: float = PATIENCE_SECONDS, tell: Tell = print
) -> None:
    """Publish the dead letters of every pipeline to the topics they came from, and wait."""
    async with emulate(world, home, skip=True) as emulator:
        done = _found(stack, emulator)
        sources = {each.id: each for pipeline in done for each in pipeline.dead_letters}
        count = sum(len(emulator.broker.replay(each)) for each in sources.values())
        emulator.deliveries.wake()
        tell(f"replayed {count} dead letters of {stack}")
        await _until_settled(emulator, lambda: None, patience)
        left = sum(len(emulator.broker.waiting(each)) for each in sources.values())
        tell(f"{count - left} of them went through, {left} are dead letters again")


def _found(stack: str, emulator: Emulator) -> list[Pipeline]:
    done = pipelines(emulator)
    if not done:
        why = [f"\n  - {name}: {reason}" for name, reason in emulator.elsewhere.items()]
        raise DemoError(
            f"{stack} has no pipeline that can run here: run "
            f"`{make_command(f'up STACK={stack}')}` with one whose image is built from "
            f"services/{''.join(why)}"
        )
    return done


def _introduce(emulator: Emulator, done: Sequence[Pipeline], tell: Tell) -> None:
    for name, reason in emulator.elsewhere.items():
        tell(f"  left out: {name}: {reason}")
    for each in done:
        push = each.push
        tell(
            f"  {each.name}: pushed as {push.push.account if push.push else '?'} to "
            f"{each.hosted.service.name} (services/{each.hosted.folder}), rows to "
            f"{each.results.partition('/datasets/')[2].replace('/tables/', '.')}, up to "
            f"{push.most_attempts} deliveries"
        )


async def _until_handled(
    emulator: Emulator, done: Sequence[Pipeline], board: _Board, patience: float
) -> None:
    """Until every good message was acknowledged."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        board.show()
        states = [emulator.broker.states(each.push.id, set(each.good)) for each in done]
        if not any(state["waiting"] + state["leased"] for state in states):
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _until_settled(emulator: Emulator, show: Callable[[], None], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not emulator.deliveries.settled() and time.monotonic() < deadline:
        show()
        await asyncio.sleep(_LOOK_SECONDS)
    show()


def _conclude(checks: Sequence[Check], replies: Sequence[str], page: Path, tell: Tell) -> None:
    for reply in replies:
        tell(f"  {reply}")
    labels = [f"{check.where}: {check.what}" for check in checks]
    width = min(_LABEL, max(map(len, labels), default=0))
    tell("")
    for label, check in zip(labels, checks, strict=True):
        mark = "ok" if check.good else f"WRONG, wanted {check.wanted}"
        tell(f"  {label:<{width}}  {check.found}  {mark}")
    tell(f"\nPage: {page}")
    wrong = sum(not check.good for check in checks)
    if wrong:
        raise DemoError(
            f"{wrong} of {plural(len(checks), 'count')} wrong: see the lines marked WRONG"
        )
