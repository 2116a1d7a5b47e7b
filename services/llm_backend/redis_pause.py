"""RedisPause: leaves Redis alone for a while after it failed; requests don't wait for it."""

import logging
import time

from services.common.logs import FIELDS

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 5.0


class RedisPause:
    """One for each use of Redis, which goes on without it meanwhile."""

    def __init__(self, use: str) -> None:
        self._use = use
        self._until = 0.0

    @property
    def active(self) -> bool:
        """Whether Redis is to be left alone."""
        return time.monotonic() < self._until

    def failed(self, problem: Exception) -> None:
        """Start a pause, with one log line."""
        self._until = time.monotonic() + _PAUSE_SECONDS
        fields = {"error_category": f"{self._use}_unavailable", "error": str(problem)}
        _log.warning("Redis does not answer: no %s for a while", self._use, extra={FIELDS: fields})
