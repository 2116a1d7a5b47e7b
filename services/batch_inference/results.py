"""Where the results of a batch go, and which there are: what has one is not asked again."""

import asyncio
import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from services.batch_inference.requests import NoIdError, Request, from_line
from services.batch_inference.settings import Settings
from services.common.bigquery import BigQuery
from services.common.completion import Completion
from services.common.google_rest import GoogleRest
from services.common.objects import NEVER_WRITTEN, Objects
from services.common.prediction_log import SHAPE
from services.common.storage_write import StorageWriteSink

_EVER: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Before every result: a partitioned table is asked for none without a time."""


@dataclass(frozen=True)
class Result:
    """The answer to a request, or why it is refused for good."""

    request: Request
    model: str
    status: int
    completion: Completion | None = None
    problem: str = ""
    requested_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    latency_ms: int = 0


class Results(ABC):
    """What is kept of a batch."""

    @abstractmethod
    async def start(self) -> Collection[str]:
        """Get ready; return the ids that have a result. Raises GoogleError."""

    @abstractmethod
    async def keep(self, result: Result) -> None:
        """Keep a result. Raises SinkError and GoogleError."""

    @abstractmethod
    async def close(self) -> None:
        """Keep what is not kept yet. Raises GoogleError."""


def results_of(settings: Settings, google: GoogleRest) -> Results:
    """Return where results go."""
    if settings.batch_output:
        return ResultFiles(settings, google)
    return ResultTable(settings, google)


class ResultTable(Results):
    """A table of predictions: a row a result, with its tokens."""

    def __init__(self, settings: Settings, google: GoogleRest) -> None:
        self._settings = settings
        self._google = google
        self._sink = StorageWriteSink(
            SHAPE,
            settings.predictions_table,
            settings.bigquery_storage_endpoint,
            settings.sink_timeout_seconds,
        )

    async def start(self) -> Collection[str]:
        """Connect; return the ids of the batch's rows."""
        await self._sink.start()
        return await asyncio.to_thread(self._ids)

    def _ids(self) -> Collection[str]:
        table = self._settings.predictions_table
        query = (
            f"SELECT request_id FROM `{table}` "  # noqa: S608 -- the settings' pattern holds
            "WHERE requested_at >= @since AND consumer = @consumer"
        )
        rows = BigQuery(self._google, table.partition(".")[0]).read(
            query, _EVER, consumer=self._settings.batch_name
        )
        return {row["request_id"] or "" for row in rows}

    async def keep(self, result: Result) -> None:
        """Write a row, and wait until it is committed."""
        completion = result.completion
        choice = completion.choices[0] if completion else None
        tokens = completion.tokens if completion else {}
        about: dict[str, Any] = {
            "status": result.status,
            "execution": self._settings.cloud_run_execution,
        }
        if result.problem:
            about["error"] = result.problem
        await self._sink.write(
            {
                "request_id": result.request.custom_id,
                "requested_at": int(result.requested_at.timestamp() * 1_000_000),
                "model": result.model,
                "consumer": self._settings.batch_name,
                "prompt": None,
                "response": choice.message.content if choice else None,
                "prompt_tokens": tokens.get("prompt_tokens"),
                "completion_tokens": tokens.get("completion_tokens"),
                "latency_ms": result.latency_ms,
                "first_token_ms": None,
                "finish_reason": choice.finish_reason if choice else None,
                "metadata": json.dumps(about),
            }
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._sink.close()


class ResultFiles(Results):
    """Files of results, none of which is ever changed: a few results each, so that a task that is
    killed loses little."""

    def __init__(self, settings: Settings, google: GoogleRest) -> None:
        self._settings = settings
        bucket, _, self._prefix = settings.batch_output.removeprefix("gs://").partition("/")
        self._objects = Objects(google, bucket)
        self._lines: list[str] = []
        self._files = 0
        self._full, self._closing = asyncio.Event(), False
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> Collection[str]:
        """Return the ids of the files that there are."""
        self._writer = asyncio.create_task(self._write_now_and_then())
        return await asyncio.to_thread(self._ids)

    def _ids(self) -> Collection[str]:
        found: set[str] = set()
        for name in self._objects.names(self._prefix):
            for line in self._objects.lines(name):
                with suppress(NoIdError):
                    found.add(from_line(line).custom_id)
        return found

    async def keep(self, result: Result) -> None:
        """Add a result to the next file."""
        if self._writer is not None and self._writer.done():
            self._writer.result()
        self._lines.append(json.dumps(_line(result)))
        if len(self._lines) >= self._settings.batch_file_results:
            self._full.set()

    async def close(self) -> None:
        """Write the last file."""
        self._closing = True
        self._full.set()
        if self._writer is not None:
            await self._writer

    async def _write_now_and_then(self) -> None:
        """Write whenever there is enough, or some have waited long enough; one file at a time."""
        while not self._closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.batch_file_seconds):
                    await self._full.wait()
            self._full.clear()
            await self._write()
        await self._write()

    async def _write(self) -> None:
        lines, self._lines = self._lines, []
        if not lines:
            return
        self._files += 1
        settings = self._settings
        name = (
            f"{self._prefix}{settings.cloud_run_execution}/{settings.cloud_run_task_index:05}-"
            f"{settings.cloud_run_task_attempt}-{self._files:06}.jsonl"
        )
        content = "".join(f"{line}\n" for line in lines).encode()
        await asyncio.to_thread(self._objects.write, name, content, NEVER_WRITTEN)


def _line(result: Result) -> Mapping[str, Any]:
    """Return a result in the batch format of OpenAI.

    https://platform.openai.com/docs/guides/batch#5-retrieve-the-results
    """
    custom_id = result.request.custom_id
    body: Any = {"error": {"message": result.problem}}
    if result.completion is not None:
        body = result.completion.model_dump(mode="json")
    digest = hashlib.sha256(custom_id.encode(errors="replace")).hexdigest()[:24]
    return {
        "id": f"batch_req_{digest}",
        "custom_id": custom_id,
        "response": {
            "status_code": result.status,
            "request_id": f"{digest}-{time.time_ns():x}",
            "body": body,
        },
        "error": None,
    }
