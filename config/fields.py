"""The vocabulary of the config: kinds of names and ranges, each with the words for its breach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from catalog.limits import Entries, LimitError, Text, label, names


class Settings(BaseModel):
    """A part of the config: no unknown keys, no conversions, never changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _unquoted(what: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            raise LimitError(what, f"put quotes around it: '{value}'")
        return value

    return check


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise LimitError("text, a number, true or false", "give one value")
    return value


ENVIRONMENT_NAME: Final = label(16, "it becomes part of resource names and a label")
Environment = Annotated[str, ENVIRONMENT_NAME]
ProjectId = Annotated[str, names.PROJECT_ID]
Digits = Annotated[
    str,
    BeforeValidator(_unquoted("digits in quotes")),
    Text("[1-9][0-9]{0,19}", "digits in quotes, no zero first", "give the number, not the name"),
]
Labels = Annotated[
    Mapping[Annotated[str, names.LABEL_KEY], Annotated[str, names.LABEL_VALUE]],
    Entries(low=0, high=61),
]
Scalar = Annotated[str | int | float | bool, BeforeValidator(_scalar)]
"""A command line value: text, a number, or a switch."""
