"""Modes: what a request asks for, and the prompt made of it."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.llm_backend.messages import ChatRequest

_TABLE = Path(__file__).with_name("modes.yaml")


class Mode(BaseModel):
    """A kind of request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    patterns: list[re.Pattern[str]]
    system: str = Field(description="System prompt.")
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1, description="Longest reply.")
    response_format: dict[str, str] | None = None


@cache
def all_modes() -> Sequence[Mode]:
    """Read the table; the last mode takes what no pattern finds."""
    rows: list[dict[str, Any]] = yaml.safe_load(_TABLE.read_text())
    ignoring_case: list[dict[str, Any]] = [
        {**row, "patterns": [re.compile(one, re.IGNORECASE) for one in row["patterns"]]}
        for row in rows
    ]
    return TypeAdapter(list[Mode]).validate_python(ignoring_case)


def mode_names() -> tuple[str, ...]:
    """Return names a request may give."""
    return tuple(mode.name for mode in all_modes())


def detect_mode(request: ChatRequest) -> Mode:
    """Return the mode the request names, else the one its message looks like."""
    modes = all_modes()
    for mode in modes:
        if request.mode == mode.name:
            return mode
    for mode in modes[:-1]:
        if any(pattern.search(request.message) for pattern in mode.patterns):
            return mode
    return modes[-1]


def build_prompt(request: ChatRequest, mode: Mode, model: str, max_history: int) -> dict[str, Any]:
    """Return the body of a chat completion: the mode's prompt, recent history, the message."""
    history = request.history[-max_history:] if max_history else []
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": mode.system},
            *({"role": turn.role, "content": turn.content} for turn in history),
            {"role": "user", "content": request.message},
        ],
        "temperature": mode.temperature,
        "max_tokens": mode.max_tokens,
    }
    if mode.response_format is not None:
        body["response_format"] = mode.response_format
    if request.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return body
