"""The vocabulary of the config: kinds of names and ranges, each with the words for its breach."""

from __future__ import annotations

import ipaddress
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler
from pydantic.annotated_handlers import GetCoreSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class Settings(BaseModel):
    """A part of the config: no unknown keys, no conversions, never changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def breach(allowed: str, remedy: str) -> PydanticCustomError:
    """The error a validator raises: what is allowed, and what to do."""
    return PydanticCustomError("breach", "breach", {"allowed": allowed, "remedy": remedy})


class Text(ABC):
    """An annotation of text that is more than any text."""

    @abstractmethod
    def check(self, value: str) -> str:
        """The value itself. Raises a breach when it won't do."""

    @abstractmethod
    def hint(self) -> Mapping[str, str]:
        """What the JSON schema says of it, for an editor."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), **self.hint()}


@dataclass(frozen=True)
class Matching(Text):
    """Text that matches a regular expression as a whole."""

    pattern: str
    allowed: str
    remedy: str = "change it"

    def hint(self) -> Mapping[str, str]:
        """The pattern, and what is allowed."""
        return {"pattern": f"^(?:{self.pattern})$", "patternErrorMessage": self.allowed}

    def check(self, value: str) -> str:
        """The value itself. Raises a breach when it does not match."""
        if not re.fullmatch(self.pattern, value):
            raise breach(self.allowed, self.remedy)
        return value


_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_CIDR_PATTERN: Final = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}"


@dataclass(frozen=True)
class Range(Text):
    """An IPv4 range in CIDR notation without host bits.

    `largest_prefix` is the prefix length of the smallest range that will do (None: any size);
    `private` asks for a range inside the private blocks, otherwise for one outside them.
    """

    largest_prefix: int | None
    private: bool = True

    def hint(self) -> Mapping[str, str]:
        """The pattern of any range, and which will do."""
        return {"pattern": f"^{_CIDR_PATTERN}$", "patternErrorMessage": self.allowed}

    @property
    def allowed(self) -> str:
        """The ranges that will do, as a phrase."""
        kind = "a private" if self.private else "a public"
        size = f" of /{self.largest_prefix} or larger" if self.largest_prefix is not None else ""
        return f"{kind} IPv4 range in CIDR notation{size}"

    def check(self, value: str) -> str:
        """The value itself. Raises a breach when it is no such range."""
        allowed = self.allowed
        if not re.fullmatch(_CIDR_PATTERN, value):
            raise breach(allowed, "write it like 10.10.0.0/20")
        try:
            network = ipaddress.IPv4Network(value, strict=False)
        except ValueError:
            raise breach(allowed, "each number is at most 255, the length at most 32") from None
        if str(network) != value:
            raise breach(allowed, f"bits are set behind the prefix: write {network}")
        if self.largest_prefix is not None and network.prefixlen > self.largest_prefix:
            raise breach(allowed, f"choose a larger range, with /{self.largest_prefix} or less")
        inside = any(network.subnet_of(block) for block in _PRIVATE)
        if self.private and not inside:
            raise breach(allowed, f"choose one inside {', '.join(map(str, _PRIVATE))}")
        if not self.private and any(network.overlaps(block) for block in _PRIVATE):
            raise breach(allowed, "addresses reach Google from their public range: give that")
        return value


def label(longest: int, why: str) -> Matching:
    """A DNS label (RFC 1035) of at most `longest` characters; `why` tells the limit's reason."""
    tail = f"(?:[a-z0-9-]{{0,{longest - 2}}}[a-z0-9])?"
    return Matching(
        f"[a-z]{tail}",
        f"1 to {longest} lowercase letters, digits or hyphens, a letter first, no hyphen last",
        f"shorten or change it ({why})",
    )


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
PROJECT_ID: Final = "[a-z][a-z0-9-]{4,28}[a-z0-9]"
"""Pattern of a project's id."""
ProjectId = Annotated[
    str,
    Matching(
        PROJECT_ID,
        "a project id: 6 to 30 lowercase letters, digits or hyphens, a letter first",
        "`gcloud projects list` shows the ids",
    ),
]
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
LabelKey = Annotated[
    str,
    Matching(
        "[a-z][a-z0-9_-]{0,62}",
        "1 to 63 lowercase letters, digits, underscores or hyphens, a letter first",
    ),
]
LabelValue = Annotated[
    str,
    Matching("[a-z0-9_-]{0,63}", "up to 63 lowercase letters, digits, underscores or hyphens"),
]
Scalar = Annotated[str | int | float | bool, BeforeValidator(_scalar)]
"""A command line value: text, a number, or a switch."""
