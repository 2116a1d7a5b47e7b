"""How the backend shows the endpoint who it is."""

import asyncio
from typing import Any, cast

from services.llm_backend.settings import Settings

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Credentials:
    """Gives the headers of a request; Google's tokens are renewed when they are about to expire."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._google: Any = None
        self._renewing = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Return the headers to add, none without credentials."""
        if self._settings.llm_auth == "api_key":
            return {"authorization": f"Bearer {self._settings.llm_api_key.get_secret_value()}"}
        if self._settings.llm_auth == "google":
            async with self._renewing:
                return {"authorization": f"Bearer {await asyncio.to_thread(self._token)}"}
        return {}

    def _token(self) -> str:
        import google.auth
        from google.auth.transport.requests import Request

        if self._google is None:
            self._google, _ = google.auth.default(scopes=[_SCOPE])
        if not self._google.valid:
            self._google.refresh(Request())
        return cast("str", self._google.token)
