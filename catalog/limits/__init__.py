"""Limits: what one value may be and which it is when none is given, each said once.

A limit annotates a type, `disk_gib: Annotated[int, limits.BOOT_DISK_GIB]`. Pydantic's models of the
config and the arguments of the components hold to it alike. It judges plain values of its own kind
only: whatever else passes.
"""

from __future__ import annotations

import ipaddress
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Final, cast

from catalog.problems import did_you_mean


class LimitError(ValueError):
    """A value that a limit refuses: what is allowed, and what to do."""

    def __init__(self, allowed: str, remedy: str, found: str = "") -> None:
        super().__init__(f"allowed: {allowed}; {remedy}")
        self.allowed = allowed
        self.remedy = remedy
        self.found = found


class Limit(ABC):
    """What one value may be."""

    @property
    def default(self) -> Any:
        """The value where none is given; None where there is no such value."""
        return None

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What is allowed, as a phrase."""

    @abstractmethod
    def check(self, value: Any) -> None:
        """Raise LimitError for a value of the limit's kind that it refuses."""

    @abstractmethod
    def hint(self) -> Mapping[str, object]:
        """Return what JSON Schema says of it, for an editor."""

    # The two hooks of pydantic's annotations; neither needs pydantic itself.
    # https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": self._checked},
            "schema": handler(source),
        }

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        return {**handler(schema), **self.hint()}

    def _checked(self, value: Any) -> Any:
        self.check(value)
        return value


@dataclass(frozen=True)
class Range(Limit):
    """A number from `low` to `high`, both allowed; without `high`, any from `low` on."""

    low: float
    high: float | None = None
    unit: str = ""
    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        kind = "a number" if isinstance(self.low, float) else "a whole number"
        bounds = (
            f", {self.low} or more" if self.high is None else f" from {self.low} to {self.high}"
        )
        return f"{kind}{bounds}{self.unit and ' ' + self.unit}"

    def check(self, value: Any) -> None:
        """Raise LimitError for a number outside the range."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        if value < self.low:
            raise LimitError(self.allowed, f"raise it to {self.low} or more")
        if self.high is not None and value > self.high:
            raise LimitError(self.allowed, f"lower it to {self.high} or less")

    def hint(self) -> Mapping[str, object]:
        """Return the bounds."""
        return {"minimum": self.low} | ({} if self.high is None else {"maximum": self.high})


@dataclass(frozen=True)
class Choice(Limit):
    """One of several values."""

    values: Collection[Any]
    default: Any = None
    remedy: str = "choose one of them"

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        return ", ".join(map(str, self.values))

    def check(self, value: Any) -> None:
        """Raise LimitError for text or a number that is not among the values."""
        if isinstance(value, str | int) and value not in self.values:
            near = self.values if isinstance(value, str) else ()
            raise LimitError(self.allowed, did_you_mean(value, map(str, near), self.remedy))

    def hint(self) -> Mapping[str, object]:
        """Return the values."""
        return {"enum": list(self.values)}


@dataclass(frozen=True)
class Text(Limit):
    """Text that matches a regular expression as a whole."""

    pattern: str
    phrase: str
    remedy: str = "change it"
    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        return self.phrase

    def check(self, value: Any) -> None:
        """Raise LimitError for text that does not match."""
        if isinstance(value, str) and not self.matches(value):
            raise LimitError(self.phrase, self.remedy)

    def matches(self, value: str) -> bool:
        """Return whether a text matches."""
        return re.fullmatch(self.pattern, value) is not None

    def hint(self) -> Mapping[str, object]:
        """Return the pattern, and what is allowed."""
        return {"pattern": f"^(?:{self.pattern})$", "patternErrorMessage": self.phrase}


def label(longest: int, why: str) -> Text:
    """Return the limit of a DNS label (RFC 1035); `why` tells the reason of its length."""
    tail = f"(?:[a-z0-9-]{{0,{longest - 2}}}[a-z0-9])?"
    return Text(
        f"[a-z]{tail}",
        f"1 to {longest} lowercase letters, digits or hyphens, a letter first, no hyphen last",
        f"shorten or change it ({why})",
    )


@dataclass(frozen=True)
class Entries(Limit):
    """A list or mapping of `low` to `high` entries; `what` says what to give at least one of."""

    what: str = "one"
    low: int = 1
    high: int | None = None
    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        if self.high is None:
            return "one entry or more"
        return f"{'one' if self.low else 'up'} to {self.high} entries"

    def check(self, value: Any) -> None:
        """Raise LimitError for a list or mapping with fewer or more entries."""
        if not isinstance(value, (Mapping, Sequence)) or isinstance(value, str):
            return
        entries = cast("Sized", value)
        if len(entries) < self.low:
            raise LimitError(self.allowed, f"give {self.what}")
        if self.high is not None and len(entries) > self.high:
            raise LimitError(self.allowed, "remove some", f"{len(entries)} entries")

    def hint(self) -> Mapping[str, object]:
        """Return the least numbers of entries."""
        return {"minItems": self.low, "minProperties": self.low} if self.low else {}


_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(block)
    for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)
_CIDR_PATTERN: Final = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}"


@dataclass(frozen=True)
class Cidr(Limit):
    """An IPv4 range in CIDR notation without host bits.

    `longest_prefix` is the prefix length of the smallest range that will do (None: any size);
    `private` asks for a range inside the private blocks, otherwise for one outside them.
    """

    longest_prefix: int | None = None
    private: bool = True
    default: Any = None

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        kind = "a private" if self.private else "a public"
        size = f" of /{self.longest_prefix} or larger" if self.longest_prefix is not None else ""
        return f"{kind} IPv4 range in CIDR notation{size}"

    def check(self, value: Any) -> None:
        """Raise LimitError for text that is no such range."""
        if not isinstance(value, str):
            return
        allowed = self.allowed
        if not re.fullmatch(_CIDR_PATTERN, value):
            raise LimitError(allowed, "write it like 10.10.0.0/20")
        try:
            network = ipaddress.IPv4Network(value, strict=False)
        except ValueError:
            raise LimitError(allowed, "each number is at most 255, the length at most 32") from None
        if str(network) != value:
            raise LimitError(allowed, f"bits are set behind the prefix: write {network}")
        if self.longest_prefix is not None and network.prefixlen > self.longest_prefix:
            raise LimitError(allowed, f"choose a larger range, with /{self.longest_prefix} or less")
        inside = any(network.subnet_of(block) for block in _PRIVATE)
        if self.private and not inside:
            raise LimitError(allowed, f"choose one inside {', '.join(map(str, _PRIVATE))}")
        if not self.private and any(network.overlaps(block) for block in _PRIVATE):
            raise LimitError(allowed, "addresses reach Google from their public range: give that")

    def hint(self) -> Mapping[str, object]:
        """Return the pattern of any range, and which will do."""
        return {"pattern": f"^{_CIDR_PATTERN}$", "patternErrorMessage": self.allowed}
