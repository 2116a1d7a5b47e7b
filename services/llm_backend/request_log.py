"""RequestLog: a row of the table of predictions for every chat. Without a table there is none."""

import asyncio
import logging

from services.common.logs import FIELDS
from services.common.prediction_log import SHAPE
from services.common.sink import Row, Sink, SinkError
from services.common.storage_write import StorageWriteSink
from services.llm_backend.exchange import Exchange
from services.llm_backend.settings import Settings

_log = logging.getLogger(__name__)
_MOST_WAITING = 2000


class RequestLog:
    """Writes beside the answers: no request fails because its row does, and few wait for it.

    An answer waits a moment for its row, as Cloud Run takes the CPU away between requests.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sink: Sink | None = None
        if settings.predictions_table:
            self._sink = StorageWriteSink(
                SHAPE,
                settings.predictions_table,
                settings.bigquery_storage_endpoint,
                settings.predictions_timeout_seconds,
            )
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> str:
        """off, ok or failing."""
        if self._sink is None:
            return "off"
        return "ok" if self._sink.healthy else "failing"

    async def start(self) -> None:
        """Get ready to write."""
        if self._sink is not None:
            await self._sink.start()

    async def close(self) -> None:
        """Write what is left; what the server's stop leaves no time for is lost."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=self._settings.shutdown_seconds)
        if self._sink is not None:
            await self._sink.close()

    def begin(self, exchange: Exchange) -> None:
        """Begin to write, without waiting."""
        if self._sink is None:
            return
        if len(self._writing) >= _MOST_WAITING:
            _lost(f"{_MOST_WAITING} rows wait to be written")
            return
        settings = self._settings
        row = exchange.row(settings.predictions_content, settings.predictions_content_percent)
        task = asyncio.create_task(self._write(self._sink, row))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def keep(self, exchange: Exchange) -> None:
        """Write, and wait for it as long as an answer may wait."""
        before = set(self._writing)
        self.begin(exchange)
        # One that failed has made the wait of those after it useless.
        if (begun := self._writing - before) and self.state == "ok":
            await asyncio.wait(begun, timeout=self._settings.predictions_wait_seconds)

    async def _write(self, sink: Sink, row: Row) -> None:
        try:
            await sink.write(row)
        except SinkError as problem:
            _lost(str(problem))


def _lost(why: str) -> None:
    fields = {"error_category": "prediction_lost", "error": why}
    _log.error("a row of the request log is lost", extra={FIELDS: fields})
