"""What callers send and get."""

from typing import Literal

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
