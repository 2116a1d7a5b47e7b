"""`make demo` and `make replay`: a stack's pipelines at work on the sandbox cloud."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from emulator.demo.calls import chat, invoker_checks, share_checks
from emulator.demo.checks import Check, checks_of
from emulator.demo.copies import copy_checks
from emulator.demo.page import write_page
from emulator.demo.pipelines import Pipeline, pipelines
from emulator.runtime.live import Live, live
from sandbox.world import World

PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 0.25
_LLM = "llm_backend"
_COLUMNS = ("seconds", "published", "handled", "failed", "dead", "predicted", "archived", "skipped")


class DemoError(Exception):
    """Why a demo could not run, or what of it went wrong."""


class _Board:
    """Prints a line whenever a count has changed."""

    def __init__(self, it: Live, done: Sequence[Pipeline], events: Counter[str]) -> None:
        self._it = it
        self._done = done
        self._events = events
        self._began = time.monotonic()
        self._ahead = it.clock.ahead
        self._last: tuple[int, ...] = ()
        print("  ".join(f"{column:>9}" for column in _COLUMNS), flush=True)

    def show(self) -> None:
        """Prints the counts."""
        it = self._it
        states: Counter[str] = Counter()
        for pipeline in self._done:
            states += it.broker.states(pipeline.push.id, pipeline.ids)
        counts = (
            sum(len(pipeline.ids) for pipeline in self._done),
            states["acked"],
            self._events["failed"],
            states["dead"],
            sum(len(pipeline.rows(it)) for pipeline in self._done),
            sum(len(pipeline.archived()) for pipeline in self._done),
        )
        if counts != self._last:
            self._last = counts
            seconds = time.monotonic() - self._began
            skipped = f"{it.clock.ahead - self._ahead:.0f} s"
            cells = [f"{seconds:.1f}", *map(str, counts), skipped]
            print("  ".join(f"{cell:>9}" for cell in cells), flush=True)


async def demo(stack: str, world: World, home: Path, patience: float = PATIENCE_SECONDS) -> None:
    """Sends messages through every pipeline and prints where they went.

    Raises DemoError when any count is wrong.
    """
    events: Counter[str] = Counter()
    done: list[Pipeline] = []

    def said(what: str, subscription: str, detail: str) -> None:
        events[what.partition(":")[0]] += 1
        for pipeline in done:
            if what == "filed" and subscription in {each.id for each in pipeline.archives}:
                pipeline.files.append(Path(detail))

    async with live(world, home, skip=True, said=said) as it:
        found = _found(stack, it)
        # What a demo that was stopped has left would be taken for messages of this one.
        it.deliveries.wake()
        await _until_settled(it, lambda: None, patience)
        events.clear()
        done += found
        print(
            f"demo of {stack} on the sandbox cloud: retries and archives at the stack's own "
            "times, waits are skipped",
            flush=True,
        )
        _tell(it, done)
        for pipeline in done:
            pipeline.publish(it)
        it.deliveries.wake()
        board = _Board(it, done, events)
        await _until_handled(it, done, board, patience)
        for pipeline in done:
            pipeline.repeat(it)
        it.deliveries.wake()
        await _until_settled(it, board.show, patience)
        checks = [check for pipeline in done for check in checks_of(it, pipeline)]
        for pipeline in done:
            checks += await copy_checks(it, pipeline)
        replies: list[str] = []
        for hosted in it.hosted:
            checks += await invoker_checks(it, hosted)
            checks += await share_checks(it, hosted)
            if hosted.folder == _LLM:
                answers, said_by_model = await chat(it, hosted)
                checks += answers
                replies += said_by_model
        page = home / "demo.html"
        write_page(page, it, done, checks, replies)
        _conclude(checks, replies, page)


async def replay(stack: str, world: World, home: Path, patience: float = PATIENCE_SECONDS) -> None:
    """Publishes the dead letters of every pipeline to the topics they came from, and waits."""
    async with live(world, home, skip=True) as it:
        done = _found(stack, it)
        sources = {each.id: each for pipeline in done for each in pipeline.dead_letters}
        count = sum(len(it.broker.replay(each)) for each in sources.values())
        it.deliveries.wake()
        print(f"replayed {count} dead letters of {stack}", flush=True)
        await _until_settled(it, lambda: None, patience)
        left = sum(len(it.broker.waiting(each)) for each in sources.values())
        print(f"{count - left} of them went through, {left} are dead letters again")


def _found(stack: str, it: Live) -> list[Pipeline]:
    done = pipelines(it)
    if not done:
        why = [f"\n  - {name}: {reason}" for name, reason in it.elsewhere.items()]
        raise DemoError(
            f"{stack} has no pipeline that can run here: run `make up STACK={stack}` "
            f"with one whose image is built from services/{''.join(why)}"
        )
    return done


def _tell(it: Live, done: Sequence[Pipeline]) -> None:
    for name, reason in it.elsewhere.items():
        print(f"  left out: {name}: {reason}")
    for each in done:
        push = each.push
        print(
            f"  {each.name}: pushed as {push.push.account if push.push else '?'} to "
            f"{each.hosted.service.name} (services/{each.hosted.folder}), rows to "
            f"{each.results.partition('/datasets/')[2].replace('/tables/', '.')}, up to "
            f"{push.most_attempts} deliveries",
            flush=True,
        )


async def _until_handled(
    it: Live, done: Sequence[Pipeline], board: _Board, patience: float
) -> None:
    """Until every good message was acknowledged."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        board.show()
        states = [it.broker.states(each.push.id, set(each.good)) for each in done]
        if not any(state["waiting"] + state["leased"] for state in states):
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _until_settled(it: Live, show: Callable[[], None], patience: float) -> None:
    deadline = time.monotonic() + patience
    while not it.deliveries.settled() and time.monotonic() < deadline:
        show()
        await asyncio.sleep(_LOOK_SECONDS)
    show()


def _conclude(checks: Sequence[Check], replies: Sequence[str], page: Path) -> None:
    for reply in replies:
        print(f"  {reply}")
    width = max(len(f"{check.where}: {check.what}") for check in checks)
    print()
    for check in checks:
        mark = "ok" if check.good else f"WRONG, wanted {check.wanted}"
        print(f"  {f'{check.where}: {check.what}':<{width}}  {check.found}  {mark}")
    print(f"\nPage: {page}", flush=True)
    wrong = sum(not check.good for check in checks)
    if wrong:
        raise DemoError(f"{wrong} of {len(checks)} counts are wrong: see the lines marked WRONG")
