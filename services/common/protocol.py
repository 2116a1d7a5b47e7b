"""HTTP/1.1 whose clients must send their headers in time; the server has no such limit itself."""

import asyncio
import logging
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.common.logs import FIELDS

_log = logging.getLogger(__name__)


class TimedProtocol(H11Protocol):
    """Cuts connections on which no request is complete in time: new ones, and half a request."""

    header_timeout_seconds: ClassVar[float]
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the clock: a connection that says nothing is cut too."""
        super().connection_made(transport)
        self._watch(waiting=True)

    def handle_events(self) -> None:
        """Stop the clock once the headers are there, start it for half a request."""
        super().handle_events()
        self._watch(waiting=self.conn.their_state is h11.IDLE and self.conn.trailing_data[0] != b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._watch(waiting=False)
        super().connection_lost(exc)

    def _watch(self, *, waiting: bool) -> None:
        if not waiting and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        elif waiting and self._deadline is None:
            self._deadline = self.loop.call_later(self.header_timeout_seconds, self._cut)

    def _cut(self) -> None:
        fields = {"error_category": "slow_headers"}
        _log.warning("a connection without a request is closed", extra={FIELDS: fields})
        self.transport.close()
