"""A plan of faults: a document that says which befalls which call, and for how long.

faults:
  - {fault: stockout, name: "l4-*", place: us-central1-a}
  - {fault: rate-limit, type: pubsub.Topic, verb: create, call: 2, times: 5}
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, cast

from catalog.by_type import short_name
from catalog.problems import KeyPath, Problem, did_you_mean, shown
from sandbox.faults.known import VERBS, Fault, known
from sandbox.values import Values, as_list

TOP: Final = "faults"
ALWAYS: Final = "always"
"""Of `times`: for as long as the plan is there."""
_PLACES: Final = ("zone", "region", "location", "locationId", "nodeLocations")
_KEYS: Final = ("fault", "type", "name", "place", "verb", "call", "times", "seconds")


class FaultPlanError(ValueError):
    """A plan that can't be played. `lines` say path and reason of each mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True)
class Planned:
    """One fault of a plan, for every resource that it matches.

    `type` is a token or the SDK's short name, `name` the resource's, `place` a zone, region or
    location of its inputs: `*` in them is any text. It begins with the `call`-th call of a verb and
    answers `times` requests (a provider asks again by itself), or those of so many `seconds`.
    """

    fault: str
    type: str = "*"
    name: str = "*"
    place: str = "*"
    verb: str = "*"
    call: int = 1
    times: int | str | None = None
    seconds: float | None = None

    @property
    def known(self) -> Fault:
        """What the table says of the fault."""
        return known()[self.fault]

    @property
    def key(self) -> str:
        """What the world remembers it by."""
        return json.dumps(asdict(self), sort_keys=True)

    def matches(self, verb: str, token: str, urn: str, inputs: Values) -> bool:
        """Return whether it befalls such a call of a resource."""
        return (
            self.verb in ("*", verb)
            and any(fnmatchcase(each, self.type) for each in _names(token))
            and fnmatchcase(urn.rpartition("::")[2], self.name)
            and (self.place == "*" or any(fnmatchcase(p, self.place) for p in _places(inputs)))
            and self.known.can_befall(token, verb, inputs)
        )

    def lasts(self, before: int, requests: int, waited: float) -> bool:
        """Return whether it answers another request of a call, after so many and so many seconds,
        and after those `before` the call.

        Between two runs time passes: only what is given by `times` goes on in the next one.
        """
        if self.times == ALWAYS:
            return True
        if isinstance(self.times, int):
            return before + requests < self.times
        limits = {"seconds": self.seconds} if self.seconds else self.known.lasts
        if not limits:
            return True
        if "seconds" in limits:
            return not before and waited < limits["seconds"]
        return not before and requests < limits["requests"]


def _names(token: str) -> Iterator[str]:
    yield token
    yield short_name(token)


def _places(inputs: Values) -> Iterator[str]:
    for key in _PLACES:
        value = inputs.get(key)
        yield from (str(each) for each in (as_list(value) if isinstance(value, list) else [value]))


def read(document: object) -> list[Planned]:
    """Return the faults of a document, in its order. Raises FaultPlanError with every mistake."""
    found: list[Planned] = []
    lines: list[str] = []
    for each in _read(document):
        if isinstance(each, Problem):
            lines.append(str(each))
        else:
            found.append(each)
    if lines:
        raise FaultPlanError(lines)
    return found


def _read(document: object) -> Iterator[Planned | Problem]:
    if document is None:
        return
    entries: object = None
    if isinstance(document, dict):
        given = cast("dict[object, object]", document)
        for key in given.keys() - {TOP}:
            yield Problem(
                (str(key),), "an unknown key", TOP, did_you_mean(key, (TOP,), "remove it")
            )
        entries = given.get(TOP)
    if not isinstance(entries, list):
        example = "- {fault: stockout, name: l4-*}"
        yield Problem(
            (TOP,), shown(entries), "a list of faults", f"begin each with a dash: {example}"
        )
        return
    for index, entry in enumerate(cast("list[object]", entries)):
        path = (TOP, index)
        problems = list(_problems(entry, path))
        yield from problems
        if not problems:
            yield Planned(**cast("dict[str, Any]", entry))


def _problems(entry: object, path: KeyPath) -> Iterator[Problem]:
    if not isinstance(entry, dict):
        yield Problem(path, shown(entry), "a mapping", "give it a fault: and what it befalls")
        return
    given = cast("dict[object, object]", entry)
    for key in given:
        if key not in _KEYS:
            yield Problem(
                (*path, str(key)),
                "an unknown key",
                ", ".join(_KEYS),
                did_you_mean(key, _KEYS, "remove it"),
            )
    fault = given.get("fault")
    if fault not in known():
        remedy = did_you_mean(fault, known(), "docs/reference/faults.md explains them")
        yield Problem((*path, "fault"), shown(fault), ", ".join(known()), remedy)
        return
    row = known()[str(fault)]
    for key in ("type", "name", "place"):
        if not isinstance(given.get(key, "*"), str):
            yield Problem(
                (*path, key), shown(given[key]), "text, with * for any", "put it in quotes"
            )
    verb = given.get("verb", "*")
    if verb != "*" and verb not in row.verbs:
        yield Problem(
            (*path, "verb"),
            shown(verb),
            ", ".join(row.verbs),
            did_you_mean(verb, VERBS, "leave it out for each"),
        )
    times = given.get("times", 1)
    for key, value, allowed in (
        ("call", given.get("call", 1), "a number from 1"),
        ("times", 1 if times == ALWAYS else times, f"a number from 1, or {ALWAYS}"),
    ):
        if type(value) is not int or value < 1:
            yield Problem((*path, key), shown(given[key]), allowed, "count from 1")
    seconds = given.get("seconds", 1)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        yield Problem((*path, "seconds"), shown(seconds), "a number above 0", "give seconds")
    if "times" in given and "seconds" in given:
        yield Problem((*path, "seconds"), "times beside it", "one of them", "remove one")
