"""What to decide before a difference is put back: what somebody did on purpose, as in an incident,
and what can't be undone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from plans.plan import Step, walk
from policies.rules.baseline.rel_deletion_protection import EMPTIED, HELD
from resources.properties import MISSING

_HOLDS: Final = re.compile(r"gcp:(bigquery/dataset|pubsub/(topic|subscription)|kms/\w+):")
_AMOUNT: Final = re.compile(r"\d+(\.\d+)?")
Values = tuple[object, object]


@dataclass(frozen=True)
class Turned:
    """How far something was turned off, or on, or away: what is asked about properties that are
    called so, where `differs` says so of the values before and after."""

    names: re.Pattern[str]
    differs: Callable[[Values], bool]
    asked: str


def _raised(values: Values) -> bool:
    """Return whether there is more of it; what has no bound any more is more."""
    old, new = map(_amount, values)
    return old is not None and (new is None or new > old)


def _amount(value: object) -> float | None:
    found = _AMOUNT.match(str(value)) if not isinstance(value, bool) else None
    return float(found[0]) if found else None


def _to(*states: object) -> Callable[[Values], bool]:
    return lambda values: values[1] in states and values[0] not in states


_TURNED: Final = (
    Turned(
        re.compile(r"(?i)\w*(replicas|instances|instanceCount|nodeCount|workers|memorySizeGb)$"),
        _raised,
        "somebody gave it more: putting it back takes that away, while it may be needed",
    ),
    Turned(
        re.compile("weight|percent"),
        lambda values: values[0] != values[1],
        "somebody sends requests elsewhere: putting it back sends them to where they went before",
    ),
    Turned(
        re.compile("image"),
        lambda values: values[1] is not MISSING,
        "somebody runs another version: putting it back brings the one that was taken away",
    ),
    Turned(
        re.compile("disabled|paused|suspend|deletionProtection"),
        _to(True),
        "somebody turned this on: is it to be off again?",
    ),
    Turned(
        re.compile("enabled|state"),
        lambda values: _to(False, "DISABLED")(values) and values[0] is not MISSING,
        "somebody turned it off: is it to be on again?",
    ),
    Turned(
        re.compile(r"(?i)\w*(retention|expiration|ttl)\w*"),
        _raised,
        "somebody has it kept for longer: putting it back deletes what is older",
    ),
)


def question(step: Step, *, taken: bool, closed: bool, replaced: bool) -> str:
    """Return what to ask before a resource that is otherwise is put back, '' where nothing.

    `taken` says that somebody's access is gone, `closed` that something isn't reachable any more,
    and `replaced` that the resource is made anew to put it back.
    """
    return next(_questions(step, taken=taken, closed=closed, replaced=replaced), "")


def _questions(step: Step, *, taken: bool, closed: bool, replaced: bool) -> Iterator[str]:
    if step.operation == "delete":
        if step.type in HELD or step.type in EMPTIED or _HOLDS.match(step.type):
            yield "what it held is gone, and it is made again without: restore it first"
    elif replaced:
        yield "to put it back it is replaced, and what it holds or serves ends"
    if taken:
        yield "somebody took this access away: is it to be given again?"
    if closed:
        yield "somebody closed this: is it to be open again?"
    for path in step.changed if step.operation == "update" else ():
        name = next((each for each in reversed(walk(path)) if isinstance(each, str)), "")
        values = step.values(path)
        yield from (
            each.asked for each in _TURNED if each.names.fullmatch(name) and each.differs(values)
        )
