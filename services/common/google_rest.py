"""Google's REST APIs, called as the account the program runs as."""

import threading
from functools import cached_property
from typing import Any, cast

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_SECONDS = 60


class GoogleError(Exception):
    """What an API refused, with the status it answered."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class GoogleRest:
    """Calls APIs at `https://<api>.googleapis.com`, or all of them at `endpoint`, an URL.

    Safe to use from many threads. Credentials are looked for when the first call is made.
    """

    def __init__(self, endpoint: str = "") -> None:
        self._endpoint = endpoint.rstrip("/")
        self._threads = threading.local()

    def call(
        self, method: str, api: str, path: str, *, body: Any = None, **parameters: str | int
    ) -> Any:
        """Return the answer's JSON. `body` is sent as JSON. Raises GoogleError."""
        return self.send(method, api, path, json=body, params=parameters).json()

    def send(self, method: str, api: str, path: str, **options: Any) -> Any:
        """Return the answer. Raises GoogleError where it is none or an error."""
        url = f"{self._endpoint or f'https://{api}.googleapis.com'}{path}"
        try:
            answer: Any = self._session().request(method, url, timeout=_TIMEOUT_SECONDS, **options)
        except Exception as problem:
            raise GoogleError(503, f"{method} {url}: {problem}") from problem
        if not answer.ok:
            raise GoogleError(answer.status_code, f"{method} {url}: {answer.text[:500]}")
        return answer

    def _session(self) -> Any:
        """Return this thread's session: those of `requests` are not for several at once."""
        if not hasattr(self._threads, "session"):
            from google.auth.transport.requests import AuthorizedSession

            self._threads.session = AuthorizedSession(self._credentials)
        return self._threads.session

    @cached_property
    def _credentials(self) -> Any:
        import google.auth

        return cast("Any", google.auth).default(scopes=[_SCOPE])[0]
