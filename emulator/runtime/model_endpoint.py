"""A served gateway that services ask for models, in the place of the stack's own."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from emulator.runtime.jobs import CloudRunJob
from emulator.runtime.services import CloudRun

_URL: Final = "LLM_BASE_URL"


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

    def is_asked_by(self, service: CloudRun | CloudRunJob) -> bool:
        """Return whether a program asks it: another endpoint, or model, is elsewhere."""
        given = service.environment
        return (
            urlsplit(given.get(_URL, "")).hostname in self.names
            and given.get("LLM_MODEL") in self.models
        )

    def variables(self) -> dict[str, str]:
        """Return the variables of a service that asks it. What it shows is its own."""
        return {_URL: self.url, "LLM_CA_FILE": str(self.authority)}
