"""Batches at work: one that is killed in the middle, and the next one that goes on.

Whoever puts requests where they are read is played. The rest is done by the job's own tasks, begun
as its schedule begins it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from catalog.words import plural
from emulator.demo.checks import Check
from emulator.runtime.emulator import Emulator, RunningJob
from emulator.runtime.jobs import Execution
from emulator.warehouse.store import table_id
from sandbox.gcp.access import may
from sandbox.world import CloudResource

FOLDER: Final = "batch_inference"
_SCHEDULE: Final = "gcp:cloudscheduler/job:Job"
_REQUESTS, _FEW, _SLOW, _KEPT = 60, 5, "[[delay 0.2]]", 8
_LOOK_SECONDS: Final = 0.02

Tell = Callable[[str], None]


@dataclass
class Batch:
    """A job of this stack, and what it is asked in this demo."""

    emulator: Emulator
    running: RunningJob

    @property
    def name(self) -> str:
        """Its name."""
        return self.running.job.name

    def _told(self, variable: str) -> str:
        return self.running.environment.get(variable, "")

    def prompt(self, number: int) -> str:
        """Return the prompt of a request, which this batch's alone has."""
        return f"{_SLOW} {self.name} {number}"

    def put(self, count: int = _REQUESTS) -> None:
        """Put requests where the batch reads them, in place of those of an earlier demo."""
        place = self._told("BATCH_INPUT")
        if place.startswith("gs://"):
            bucket, _, pattern = place.removeprefix("gs://").partition("/")
            lines = [
                {
                    "custom_id": f"demo-{number}",
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": {"messages": [{"role": "user", "content": self.prompt(number)}]},
                }
                for number in range(count)
            ]
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            name = f"{pattern.removesuffix('*')}demo.jsonl"
            self.emulator.objects.write(bucket, name, text.encode(), None)
            return
        table, now = table_id(place.removeprefix("bq://")), datetime.now(UTC).isoformat()
        self.emulator.warehouse.remove(table)
        self.emulator.warehouse.append(
            table,
            [
                {
                    "custom_id": f"demo-{number}",
                    "prompt": self.prompt(number),
                    self._told("BATCH_INPUT_TIME"): now,
                }
                for number in range(count)
            ],
        )

    def forget(self) -> None:
        """Take away the results of an earlier demo."""
        bucket, prefix = self._results_in()
        if bucket:
            for name in self.emulator.objects.names(bucket, prefix):
                self.emulator.objects.remove(bucket, name)
        else:
            table = table_id(self._told("PREDICTIONS_TABLE"))
            others = [
                row for row in self.emulator.warehouse.rows(table) if row["consumer"] != self.name
            ]
            self.emulator.warehouse.remove(table)
            self.emulator.warehouse.append(table, others)

    def results(self) -> Counter[str]:
        """Return how many results each request has that has any, by its id."""
        bucket, prefix = self._results_in()
        if not bucket:
            rows = self.emulator.warehouse.rows(table_id(self._told("PREDICTIONS_TABLE")))
            return Counter(str(row["request_id"]) for row in rows if row["consumer"] == self.name)
        return Counter(str(each["custom_id"]) for each in self._lines(bucket, prefix))

    def _lines(self, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        for name in self.emulator.objects.names(bucket, prefix):
            found = self.emulator.objects.read(bucket, name)
            for line in found.content.splitlines() if found else ():
                yield json.loads(line)

    def _results_in(self) -> tuple[str, str]:
        bucket, _, prefix = self._told("BATCH_OUTPUT").removeprefix("gs://").partition("/")
        return bucket, prefix

    def asked(self) -> Counter[str]:
        """Return how often each of the prompts was asked so far."""
        prompts = {self.prompt(number): f"demo-{number}" for number in range(_REQUESTS)}
        said = (str(body["messages"][-1]["content"]) for body in self.emulator.model.requests)
        return Counter(prompts[text] for text in said if text in prompts)

    def schedule(self) -> CloudResource | None:
        """Return what begins it; None where people do."""
        for each in self.emulator.world.by_type(_SCHEDULE):
            if str(each.inputs.get("httpTarget", {}).get("uri")).endswith(
                f"{self.running.job.id}:run"
            ):
                return each
        return None


def batches(emulator: Emulator) -> Sequence[Batch]:
    """Return the batches that run here."""
    return [Batch(emulator, each) for each in emulator.jobs if each.folder == FOLDER]


async def play(batch: Batch, tell: Tell) -> Sequence[Check]:
    """Kill a batch in the middle, and begin it again; return what must be true of it."""
    name = batch.name
    checks = list(begun(batch))
    batch.forget()
    batch.put()
    # Files as soon as there are results: else all would be over before the first.
    first = batch.running.begin(BATCH_FILE_SECONDS="0.2")
    await _killed(batch, first)
    there, before = batch.results(), batch.asked()
    tell(f"\n{name}: killed with {plural(there.total(), 'result')} of {_REQUESTS}")
    second = batch.running.begin()
    good = await second.run()
    results, again = batch.results(), batch.asked() - before
    tell(f"  begun again: {plural(again.total(), 'request')} asked, {results.total()} results")
    third = batch.running.begin()
    await third.run()
    idle = batch.asked() - before - again
    return [
        *checks,
        Check(name, "results kept before it was killed", there.total() >= _KEPT, True),
        Check(name, "ended well when begun again", good, True),
        Check(name, "requests with exactly one result", _once(results), _REQUESTS),
        Check(name, "asked again though they had a result", (again & there).total(), 0),
        Check(name, "asked by a run with nothing to do", idle.total(), 0),
    ]


async def ask_gateway(batch: Batch) -> Sequence[Check]:
    """Run a small batch against the gateway; return what must be true of it."""
    batch.forget()
    batch.put(_FEW)
    good = await batch.running.begin().run()
    return [
        Check(batch.name, "ended well", good, True),
        Check(batch.name, "requests answered by the gateway", _once(batch.results()), _FEW),
    ]


def begun(batch: Batch) -> Iterator[Check]:
    """Yield whether the account of its schedule may begin it, where it has one."""
    found = batch.schedule()
    if found is not None:
        job = batch.running.job
        account = str(found.inputs["httpTarget"]["oauthToken"]["serviceAccountEmail"])
        allowed = may(
            batch.emulator.world, account, "run.jobs.run", job.id, f"projects/{job.project}"
        )
        yield Check(batch.name, "its schedule may begin it", allowed, True)


async def _killed(batch: Batch, execution: Execution) -> None:
    """Run it until some results are kept; then it goes, with the machine that it is on."""
    running = asyncio.create_task(execution.run())
    while not running.done() and batch.results().total() < _KEPT:
        await asyncio.sleep(_LOOK_SECONDS)
    execution.kill()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def _once(found: Counter[str]) -> int:
    return sum(count == 1 for count in found.values())
