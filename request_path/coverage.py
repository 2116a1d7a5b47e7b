"""For which requests a condition holds.

To evaluate a condition on one request says nothing of all the others, so `covers` decides it for a
whole set: what a route claims. Where that can't be told, nothing is proven.
"""

from dataclasses import replace
from enum import Enum

from request_path.cel import And, Comparison, Condition, Constant, Not, Or
from request_path.matching import Request, Requests


class Truth(Enum):
    """Whether a condition holds for the requests of a set."""

    ALWAYS = "always"
    NEVER = "never"
    UNPROVEN = "for some, or not known"


def _compare(operation: str, found: str, value: str) -> bool:
    return {
        "==": found == value,
        "startsWith": found.startswith(value),
        "endsWith": found.endswith(value),
        "contains": value in found,
    }[operation]


def covers(condition: Condition, requests: Requests) -> Truth:
    """Return whether a condition holds for every request of a set, for none, or can't be told."""
    truths = {_covers(condition, part) for part in _parts(requests)}
    return truths.pop() if len(truths) == 1 else Truth.UNPROVEN


def holds(condition: Condition, request: Request) -> bool:
    """Return whether a condition holds for one request.

    One that asks for a header that isn't there is an error in CEL, unless another part decides.
    """
    alone = Requests(request.host, request.path, None, request.method, request.headers)
    return _covers(condition, alone, whole=True) is Truth.ALWAYS


def _parts(requests: Requests) -> tuple[Requests, ...]:
    """Return a prefix `/v1` takes `/v1` itself and all that begins with `/v1/`, but not `/v1x`."""
    if requests.prefix is None:
        return (requests,)
    prefix = requests.prefix.rstrip("/")
    itself = replace(requests, path=prefix or "/", prefix=None)
    return (itself, replace(requests, prefix=f"{prefix}/"))


def _covers(condition: Condition, requests: Requests, *, whole: bool = False) -> Truth:
    """Decide for a set without prefixes; it is `whole` where no other headers come with it."""
    match condition:
        case Constant(value):
            return Truth.ALWAYS if value else Truth.NEVER
        case Not(part):
            opposite = {Truth.ALWAYS: Truth.NEVER, Truth.NEVER: Truth.ALWAYS}
            return opposite.get(_covers(part, requests, whole=whole), Truth.UNPROVEN)
        case And(parts) | Or(parts):
            decisive = Truth.NEVER if isinstance(condition, And) else Truth.ALWAYS
            found = {_covers(part, requests, whole=whole) for part in parts}
            if decisive in found:
                return decisive
            return found.pop() if len(found) == 1 else Truth.UNPROVEN
        case Comparison("header", "in", _, header) if whole:
            return Truth.ALWAYS if header in requests.headers else Truth.NEVER
        case Comparison():
            return _covers_test(condition, requests)


def _covers_test(test: Comparison, requests: Requests) -> Truth:
    if test.attribute == "path":
        return _covers_path(test, requests)
    if test.attribute == "header":
        known = requests.headers.get(test.header)
        if known is None:
            return Truth.UNPROVEN
        return Truth.ALWAYS if test.operation == "in" else _told(test, known)
    known = requests.host if test.attribute == "host" else requests.method
    return Truth.UNPROVEN if known is None else _told(test, known)


def _told(test: Comparison, known: str) -> Truth:
    return Truth.ALWAYS if _compare(test.operation, known, test.value) else Truth.NEVER


def _covers_path(test: Comparison, requests: Requests) -> Truth:
    if requests.path is not None:
        return _told(test, requests.path)
    if requests.prefix is None:
        every = test.operation != "==" and test.value in {"", "/"} and test.operation != "endsWith"
        return Truth.ALWAYS if every else Truth.UNPROVEN
    below = requests.prefix
    if test.operation == "startsWith" and below.startswith(test.value):
        return Truth.ALWAYS
    if test.operation == "contains" and test.value in below:
        return Truth.ALWAYS
    if test.operation in {"startsWith", "=="} and not test.value.startswith(below):
        return Truth.NEVER
    return Truth.UNPROVEN
