"""What callers send and get, and what the endpoint answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Turn(BaseModel):
    """A message of the conversation so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["user", "assistant"]
    content: str


class ChatRequest(BaseModel):
    """A message and what was said before it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    message: str = Field(min_length=1)
    history: list[Turn] = Field(default_factory=list[Turn])
    mode: str | None = Field(default=None, description="Without, detected from the message.")
    model: str | None = Field(default=None, description="Without, the service's default.")
    stream: bool = Field(default=False, description="Whether to get the reply as it is made.")


class ChatReply(BaseModel):
    """A whole reply."""

    mode: str
    model: str
    reply: str
    finish_reason: str | None = None
    usage: dict[str, int] = Field(default_factory=dict, description="Tokens.")
    cached: bool = False


class _Said(BaseModel):
    content: str | None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class Completion(BaseModel):
    """The part of a chat completion that becomes the reply."""

    choices: list[_Choice] = Field(min_length=1)
    model: str | None = None
    usage: dict[str, Any] | None = None

    @property
    def tokens(self) -> dict[str, int]:
        """The counts of the usage, without their details."""
        return {key: count for key, count in (self.usage or {}).items() if isinstance(count, int)}
