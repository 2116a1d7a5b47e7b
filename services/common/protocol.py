"""HTTP/1.1 whose clients must send their headers in time; the server has no such limit itself."""

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.common.logs import FIELDS

_log = logging.getLogger(__name__)


class TimedProtocol(H11Protocol):
    """Cuts connections on which no request is complete in time: new ones, and half a request."""

    header_timeout_seconds: float
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Starts the clock: a connection that says nothing is cut too."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """Stops the clock once the headers are there, starts it for half a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Starts the clock for half a request that came with the one before it."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        unfinished = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if unfinished and self._deadline is None:
            self._start()
        elif not unfinished:
            self._stop()

    def _start(self) -> None:
        self._deadline = self.loop.call_later(self.header_timeout_seconds, self._cut)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut(self) -> None:
        fields = {"error_category": "slow_headers"}
        _log.warning("a connection without a request is closed", extra={FIELDS: fields})
        self.transport.close()


def timed_protocol(seconds: float) -> type[TimedProtocol]:
    """Gives the protocol with the time in seconds a client has for its headers."""
    return type("TimedProtocol", (TimedProtocol,), {"header_timeout_seconds": seconds})
