"""How a program shows the endpoint who it is."""

import asyncio
import logging
import time
from typing import Any, cast

from services.common.upstream_settings import UpstreamSettings, read_key

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_log = logging.getLogger(__name__)


class Credentials:
    """Gives the headers of a request; Google's tokens are renewed when they are about to expire,
    and a key that is a file is read again."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._google: Any = None
        self._renewing = asyncio.Lock()
        self._key = settings.llm_api_key.get_secret_value()
        self._read_at = float("-inf")

    async def headers(self) -> dict[str, str]:
        """Return the headers to add, none without credentials."""
        if self._settings.llm_auth == "none":
            return {}
        async with self._renewing:
            if self._settings.llm_auth == "google":
                return {"authorization": f"Bearer {await asyncio.to_thread(self._token)}"}
            return {"authorization": f"Bearer {await self._current_key()}"}

    async def _current_key(self) -> str:
        file, now = self._settings.llm_api_key_file, time.monotonic()
        if file and now - self._read_at >= self._settings.llm_api_key_seconds:
            self._read_at = now
            try:
                self._key = await asyncio.to_thread(read_key, file)
            except ValueError as problem:
                # The last one may still be good; the endpoint tells when it isn't.
                _log.warning("%s; the key read before stays", problem)
        return self._key

    def _token(self) -> str:
        import google.auth
        from google.auth.transport.requests import Request

        if self._google is None:
            self._google, _ = google.auth.default(scopes=[_SCOPE])
        if not self._google.valid:
            self._google.refresh(Request())
        return cast("str", self._google.token)
