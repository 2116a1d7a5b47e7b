"""One task of a batch: asks what has no result yet, and is of this task."""

import asyncio
import logging
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from services.batch_inference.requests import Request
from services.batch_inference.results import Result, Results, results_of
from services.batch_inference.settings import Settings
from services.batch_inference.sources import requests_of
from services.common.google_rest import GoogleError, GoogleRest
from services.common.logs import FIELDS, configure_logs
from services.common.objects import ChangedError
from services.common.sink import SinkError
from services.common.telemetry import configure_telemetry
from services.common.upstream import Upstream, UpstreamError

NAME: Final = "batch-inference"
_OBJECTIVE: Final = "x-gateway-inference-objective"
_UNUSABLE: Final = 400
_FINAL: Final = (400, 403, 413, 422)
"""What another try would get too. 404 is no fault of the request: there is no such model yet."""
_STOP_SECONDS: Final = 7
"""Of the ten that a task has after SIGTERM."""
_log = logging.getLogger(__name__)


class NoAnswersError(Exception):
    """Too many requests in a row got no answer."""


class Batch:
    """The requests of a task, asked a few at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._google = GoogleRest(settings.google_apis_endpoint)
        self._results: Results = results_of(settings, self._google)
        headers = {_OBJECTIVE: settings.batch_objective} if settings.batch_objective else {}
        self._upstream = Upstream(settings, settings.batch_concurrency, headers)
        self._waiting: asyncio.Queue[Request | None] = asyncio.Queue(settings.batch_concurrency)
        self._keeping: set[asyncio.Task[None]] = set()
        self._in_a_row = 0
        self.counts = Counter[str](answered=0, refused=0, failed=0, there=0)

    async def run(self) -> bool:
        """Ask; return whether every request has a result now. Raises GoogleError, SinkError and
        NoAnswersError, in a group where it came of a request."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._upstream.close)
            stack.push_async_callback(self._results.close)
            there = await self._results.start()
            # What was answered is kept, whatever else goes wrong.
            stack.push_async_callback(self._kept)
            async with asyncio.TaskGroup() as group:
                for _ in range(self._settings.batch_concurrency):
                    group.create_task(self._work())
                await self._feed(set(there))
        return not self.counts["failed"]

    async def _kept(self) -> None:
        """Wait for the results that are under way."""
        if self._keeping:
            await asyncio.wait(self._keeping, timeout=_STOP_SECONDS)

    async def _feed(self, seen: set[str]) -> None:
        """Put what is to be asked where workers take it, as fast as they do."""
        settings = self._settings
        found = requests_of(settings, self._google)
        while (request := await asyncio.to_thread(_next, found)) is not None:
            if not request.is_of(settings.cloud_run_task_index, settings.cloud_run_task_count):
                continue
            if request.custom_id in seen:
                self.counts["there"] += 1
                continue
            seen.add(request.custom_id)
            await self._waiting.put(request)
        for _ in range(settings.batch_concurrency):
            await self._waiting.put(None)

    async def _work(self) -> None:
        while (request := await self._waiting.get()) is not None:
            result = await self._ask(request)
            if result is not None:
                keeping = asyncio.create_task(self._results.keep(result))
                self._keeping.add(keeping)
                keeping.add_done_callback(self._keeping.discard)
                # What was answered is kept, also where this worker is stopped meanwhile.
                await asyncio.shield(keeping)
                self.counts["refused" if result.problem else "answered"] += 1

    async def _ask(self, request: Request) -> Result | None:
        """Return the result of a request; None where it got none yet."""
        model, at, began = self._settings.llm_model, datetime.now(UTC), time.perf_counter()
        if request.problem:
            return Result(request, model, _UNUSABLE, problem=request.problem, requested_at=at)
        try:
            completion = await self._upstream.complete({**request.body, "model": model})
        except UpstreamError as problem:
            if problem.answered in _FINAL:
                return Result(
                    request, model, problem.answered, problem=problem.message, requested_at=at
                )
            self._failed(problem)
            return None
        self._in_a_row = 0
        latency_ms = round((time.perf_counter() - began) * 1000)
        return Result(request, model, 200, completion, requested_at=at, latency_ms=latency_ms)

    def _failed(self, problem: UpstreamError) -> None:
        self.counts["failed"] += 1
        self._in_a_row += 1
        fields = {"error_category": problem.category, "error": problem.message}
        _log.warning("a request got no answer", extra={FIELDS: fields})
        if self._in_a_row >= self._settings.batch_failures:
            raise NoAnswersError(f"{self._in_a_row} requests in a row got no answer")


def _next(found: Iterator[Request]) -> Request | None:
    return next(found, None)


async def _until_stopped(batch: Batch) -> bool:
    """Run until all is done or SIGTERM comes, after which there are ten seconds."""
    running = asyncio.ensure_future(batch.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        return await running
    except* asyncio.CancelledError:
        _log.warning("stopped; the next task goes on")
    except* (GoogleError, ChangedError, SinkError, NoAnswersError) as problems:
        for problem in problems.exceptions:
            fields = {"error_category": type(problem).__name__}
            _log.error("stopped: %s", problem, extra={FIELDS: fields})
    return False


def main() -> int:
    """Run the task; return the exit code: 0 where every request has a result, 1 where another try
    is needed, 2 for wrong settings."""
    try:
        settings = Settings.load()
    except ValidationError as problem:
        print(f"{NAME}: wrong settings: {problem}", file=sys.stderr)
        return 2
    configure_logs(settings.google_cloud_project, settings.log_level)
    send_rest = configure_telemetry(NAME)
    batch = Batch(settings)
    try:
        done = asyncio.run(_until_stopped(batch))
    finally:
        send_rest()
    level = logging.INFO if done else logging.ERROR
    _log.log(level, "the task has ended", extra={FIELDS: {"event": "batch", **batch.counts}})
    return 0 if done else 1
