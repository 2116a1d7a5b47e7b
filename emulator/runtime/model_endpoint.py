"""A served gateway that services ask for models, in the place of the stack's own."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from emulator.runtime.services import CloudRun

_URL: Final = "LLM_BASE_URL"
_KEY: Final = "LLM_API_KEY"
_BY_KEY: Final = {"LLM_AUTH": "api_key"}


@dataclass(frozen=True)
class ModelEndpoint:
    """Where models are asked, and how: what services/llm_backend reads."""

    url: str
    """Up to and with /v1."""
    authority: Path
    """Who signs its certificate."""
    names: Collection[str]
    """The host names that the stack's own gateway has."""
    models: Collection[str]
    """The models that it has."""
    key: str = field(default="", repr=False)
    """What callers show; empty where nothing asks for one."""

    def is_asked_by(self, service: CloudRun) -> bool:
        """Return whether a service asks it: another endpoint, or model, is elsewhere."""
        given = service.environment
        return (
            urlsplit(given.get(_URL, "")).hostname in self.names
            and given.get("LLM_MODEL") in self.models
        )

    def refuses(self, service: CloudRun) -> bool:
        """Return whether the stack's own gateway answers 401 to a service: it shows no key."""
        return bool(self.key) and not _BY_KEY.items() <= service.environment.items()

    def variables(self) -> dict[str, str]:
        """Return the variables of a service that asks it."""
        shown = {**_BY_KEY, _KEY: self.key} if self.key else {}
        return {_URL: self.url, "LLM_CA_FILE": str(self.authority), **shown}
