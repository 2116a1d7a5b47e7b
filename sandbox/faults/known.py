"""The faults that are known, and which calls they can befall."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

import catalog
from sandbox.gcp.identifiers import is_upsert
from sandbox.gcp.rows import row
from sandbox.gcp.services import SERVICE
from sandbox.sdk_types import resource_type
from sandbox.values import Values, texts_in

TABLE: Final = Path(__file__).parents[1] / "faults.yaml"
_DURATIONS: Final = Path(catalog.__file__).with_name("durations.yaml")
_ACCOUNT: Final = ".gserviceaccount.com"
VERBS: Final = ("create", "update", "delete", "read")
Strikes = Literal["request", "answer", "waiting", "unready", "nothing"]
Left = Literal["nothing", "kept"]


@dataclass(frozen=True)
class Retries:
    """How a provider asks again: seconds before the second request, and when it gives up."""

    first: float
    growth: Literal["fibonacci", "doubling"]
    source: str
    seconds: float = 0
    requests: int = 0

    def waits(self) -> Iterator[float]:
        """Yield the seconds between two requests, until the provider gives up."""
        wait, following, waited, asked = self.first, self.first, 0.0, 1
        while (not self.seconds or waited + wait <= self.seconds) and (
            not self.requests or asked < self.requests
        ):
            yield wait
            waited, asked = waited + wait, asked + 1
            if self.growth == "doubling":
                wait *= 2
            else:
                wait, following = wait + following, wait


@dataclass(frozen=True)
class Way:
    """How a fault looks to one provider; `says` has holes for the names of what it befalls."""

    strikes: Strikes
    status: str
    says: str
    left: Left = "nothing"
    retries: Retries | None = None


@dataclass(frozen=True)
class Fault:
    """One row of the table; `lasts` is for how many requests or seconds, where nobody says."""

    name: str
    what: str
    verbs: Sequence[str]
    types: Sequence[str]
    ways: Mapping[str, Way]
    source: str
    but: Mapping[str, Way] = field(default_factory=dict[str, Way])
    person: str = ""
    lasts: Mapping[str, float] = field(default_factory=dict[str, float])

    def way(self, token: str) -> Way:
        """Return how it looks to the provider of a type, which it can befall."""
        return self.but.get(token) or self.ways[token.partition(":")[0]]

    def can_befall(self, token: str, verb: str, inputs: Values | None = None) -> bool:
        """Return whether such a call can fail so; without inputs, whether any such could."""
        if verb not in self.verbs or token.partition(":")[0] not in self.ways:
            return False
        if self.way(token).strikes == "nothing":
            return False
        return any(_matches(each, token, inputs) for each in self.types)


def _matches(rule: str, token: str, inputs: Values | None) -> bool:
    if rule == "long":
        return token in _long()
    if rule == "made":
        return token.startswith("gcp:") and not is_upsert(token) and token != SERVICE
    if rule == "with-account":
        return inputs is None or any(_ACCOUNT in text for text in texts_in(inputs))
    if rule == "in-use":
        return token.startswith("gcp:") and row(token).used_by is not None
    if rule == "custom":
        return token.startswith("kubernetes:") and resource_type(token) is None
    return fnmatchcase(token, rule)


@cache
def _long() -> frozenset[str]:
    """Return the types whose operation the provider waits for."""
    return frozenset(yaml.safe_load(_DURATIONS.read_text(encoding="utf-8"))["minutes"])


@cache
def known() -> Mapping[str, Fault]:
    """Return every fault by its name."""
    table: Any = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    retries = {name: Retries(**each) for name, each in table["retries"].items()}
    return {name: _fault(name, columns, retries) for name, columns in table["faults"].items()}


def _fault(name: str, columns: dict[str, Any], retries: Mapping[str, Retries]) -> Fault:
    ways: dict[str, Way] = {}
    but: dict[str, Way] = {}
    for package, given in columns.pop("by").items():
        others = given.pop("but", {})
        if "retries" in given:
            given["retries"] = retries[given["retries"]]
        ways[package] = Way(**given)
        but |= {token: replace(ways[package], **each) for token, each in others.items()}
    lasts = columns.pop("lasts", {"requests": 1})
    return Fault(name, ways=ways, but=but, lasts=lasts, **columns)


def befalling(token: str, verb: str, inputs: Values) -> list[Fault]:
    """Return the faults that can befall a call, in the table's order."""
    return [each for each in known().values() if each.can_befall(token, verb, inputs)]
