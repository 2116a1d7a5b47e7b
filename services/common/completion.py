"""What an OpenAI-compatible endpoint answers."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

_WHOLE: Final = ConfigDict(extra="allow")


class _Said(BaseModel):
    model_config = _WHOLE

    content: str | None


class _Choice(BaseModel):
    model_config = _WHOLE

    message: _Said
    finish_reason: str | None = None


class Completion(BaseModel):
    """A chat completion: what of it becomes a reply, and the rest as it came."""

    model_config = _WHOLE

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: dict[str, Any] | None = None

    @property
    def tokens(self) -> dict[str, int]:
        """The counts of the usage, without their details."""
        return {key: count for key, count in (self.usage or {}).items() if isinstance(count, int)}
