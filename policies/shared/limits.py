"""What a rule's limits may be, and the values that a policy config gives them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.properties import is_sequence


class Limit(Protocol):
    """One property of a rule's config."""

    @property
    def name(self) -> str:
        """The property's name."""
        ...

    @property
    def default(self) -> object:
        """The value where the config gives none; None for a limit that must be given."""
        ...

    def schema(self) -> dict[str, object]:
        """Return the property's JSON schema, for the engine."""
        ...

    def allowed(self) -> str:
        """Return what values are allowed, for an error message."""
        ...

    def accepts(self, value: object) -> bool:
        """Return whether the value can be used."""
        ...


@dataclass(frozen=True)
class NumberLimit:
    """A limit that is a number, zero or more."""

    name: str
    description: str
    default: float | None = None

    def schema(self) -> dict[str, object]:
        """Return the property's JSON schema, for the engine."""
        return {"type": "number", "minimum": 0, "description": self.description}

    def allowed(self) -> str:
        """Return what values are allowed."""
        return "a number, 0 or more"

    def accepts(self, value: object) -> bool:
        """Return whether the value can be used."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and value >= 0


@dataclass(frozen=True)
class NamesLimit:
    """A limit that is a list of names, each one of `choices` when there are any."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    default: Sequence[str] | None = None

    def schema(self) -> dict[str, object]:
        """Return the property's JSON schema, for the engine."""
        item: dict[str, object] = {"type": "string"}
        if self.choices:
            item["enum"] = list(self.choices)
        return {"type": "array", "items": item, "description": self.description}

    def allowed(self) -> str:
        """Return what values are allowed."""
        return f"a list of {', '.join(self.choices)}" if self.choices else "a list of names"

    def accepts(self, value: object) -> bool:
        """Return whether the value can be used."""
        return is_sequence(value) and all(
            isinstance(item, str) and (not self.choices or item in self.choices) for item in value
        )


class Limits:
    """The limits of one rule, already checked."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def number(self, name: str) -> float:
        """Return the number limit `name`."""
        value = self._values[name]
        if not isinstance(value, int | float):
            raise TypeError(f"{name} is not a number limit")
        return float(value)

    def names(self, name: str) -> tuple[str, ...]:
        """Return the names limit `name`."""
        value = self._values[name]
        if not is_sequence(value):
            raise TypeError(f"{name} is not a names limit")
        return tuple(str(item) for item in value)
