"""For which requests a condition holds.

To evaluate a condition on one request says nothing of all the others, so `covers` decides it for a
whole set: what a route claims. Where that can't be told, nothing is proven.
"""

from dataclasses import replace
from enum import Enum

from request_path.cel import Both, Comparison, Condition, Constant, Either, Not
from request_path.matching import Request, Requests


class Truth(Enum):
    """Whether a condition holds for the requests of a set."""

    ALWAYS = "always"
    NEVER = "never"
    UNPROVEN = "for some, or not known"


def holds(condition: Condition, request: Request) -> bool | None:
    """Return whether a condition holds for one request; None where it asks for a header that
    isn't there.

    CEL raises an error then, unless another part of the condition decides.
    """
    match condition:
        case Constant(value):
            return value
        case Not(part):
            inner = holds(part, request)
            return None if inner is None else not inner
        case Both(parts):
            return _joined([holds(part, request) for part in parts], decisive=False)
        case Either(parts):
            return _joined([holds(part, request) for part in parts], decisive=True)
        case Comparison("header", "in", _, header):
            return header in request.headers
        case Comparison("header", operation, value, header):
            found = request.headers.get(header)
            return None if found is None else _compare(operation, found, value)
        case Comparison(attribute, operation, value):
            found = {"path": request.path, "host": request.host, "method": request.method}
            return _compare(operation, found[attribute], value)


def _joined(results: list[bool | None], *, decisive: bool) -> bool | None:
    if decisive in results:
        return decisive
    return None if None in results else not decisive


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


def _parts(requests: Requests) -> tuple[Requests, ...]:
    """Return a prefix `/v1` takes `/v1` itself and all that begins with `/v1/`, but not `/v1x`."""
    if requests.prefix is None:
        return (requests,)
    prefix = requests.prefix.rstrip("/")
    itself = replace(requests, path=prefix or "/", prefix=None)
    return (itself, replace(requests, prefix=f"{prefix}/"))


def _covers(condition: Condition, requests: Requests) -> Truth:
    match condition:
        case Constant(value):
            return Truth.ALWAYS if value else Truth.NEVER
        case Not(part):
            opposite = {Truth.ALWAYS: Truth.NEVER, Truth.NEVER: Truth.ALWAYS}
            return opposite.get(_covers(part, requests), Truth.UNPROVEN)
        case Both(parts):
            found = {_covers(part, requests) for part in parts}
            if Truth.NEVER in found:
                return Truth.NEVER
            return Truth.ALWAYS if found == {Truth.ALWAYS} else Truth.UNPROVEN
        case Either(parts):
            found = {_covers(part, requests) for part in parts}
            if Truth.ALWAYS in found:
                return Truth.ALWAYS
            return Truth.NEVER if found == {Truth.NEVER} else Truth.UNPROVEN
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
