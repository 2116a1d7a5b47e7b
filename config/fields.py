"""The vocabulary of the config: kinds of names and ranges, each with the words for its breach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from catalog.limits import Breach, Cidr, Entries, Text, label, names
from catalog.limits.names import PROJECT


class Settings(BaseModel):
    """A part of the config: no unknown keys, no conversions, never changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


# The limits of the catalog, by the names the areas of the config use.
Matching, Range, breach = Text, Cidr, Breach


def _unquoted(what: str) -> Callable[[object], object]:
    def check(value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            raise breach(what, f"put quotes around it: '{value}'")
        return value

    return check


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise breach("text, a number, true or false", "give one value")
    return value


Environment = Annotated[str, label(16, "it becomes part of resource names and a label")]
PROJECT_ID: Final = PROJECT
ProjectId = Annotated[str, names.PROJECT_ID]
Digits = Annotated[
    str,
    BeforeValidator(_unquoted("digits in quotes")),
    Matching("[0-9]{1,20}", "digits in quotes", "give the number, not the name"),
]
ServiceHost = Annotated[
    str,
    Matching(
        r"[a-z][a-z0-9-]*\.googleapis\.com",
        "the host name of a Google API",
        "write it like storage.googleapis.com",
    ),
]
Labels = Annotated[
    Mapping[Annotated[str, names.LABEL_KEY], Annotated[str, names.LABEL_VALUE]],
    Entries(low=0, high=61),
]
Scalar = Annotated[str | int | float | bool, BeforeValidator(_scalar)]
"""A command line value: text, a number, or a switch."""
