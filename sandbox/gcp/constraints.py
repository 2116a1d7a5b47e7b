"""Refuses in a preview what the provider's own validators refuse: see `sandbox.gcp.facts`."""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from catalog.words import plural
from sandbox.check import Failure
from sandbox.gcp.facts import NOTHING, Fact, Facts, Node
from sandbox.values import (
    INTERNAL,
    Asset,
    Secret,
    Unknown,
    Value,
    Values,
    is_list,
    is_map,
)

_DURATION: Final = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|\u00b5s|ms|s|m|h)")
_ESCAPE: Final = re.compile(r"\\z")


def refusals(token: str, facts: Facts, inputs: Values) -> list[Failure]:
    """Return every failure of a resource's inputs; unknown values fail nothing."""
    found = [*_members(facts.root, "", inputs), *_groups(facts, inputs)]
    return [Failure(path, f"{reason}, for '{path}' of {token}") for path, reason in found]


Found = Iterator[tuple[str, str]]


def _members(node: Node, path: str, value: Values) -> Found:
    for name, member in node.members.items():
        inner = f"{path}.{name}" if path else name
        found = value.get(name)
        if found is not None:
            yield from _value(member, inner, found)
        elif member.fact.required:
            yield inner, "missing required property"


def _value(node: Node, path: str, value: Value) -> Found:
    if isinstance(value, Secret):
        for at, reason in _value(node, path, value.value):
            yield at, f"found a secret{''.join(reason.rpartition(', allowed')[1:])}"
        return
    if value is None or isinstance(value, Unknown | Asset):
        return
    if is_map(value):
        yield from _keys(node.fact, path, value)
        yield from _members(node, path, value)
    elif is_list(value):
        yield from _length(node.fact, path, len(value))
        for index, item in enumerate(value):
            yield from _elements(node.fact, f"{path}[{index}]", item)
            if node.element is not None:
                yield from _value(node.element, f"{path}[{index}]", item)
    elif node.element is not None:
        yield from _value(node.element, path, value)
    else:
        yield from _scalar(node.fact, path, value)


def _keys(fact: Fact, path: str, value: Values) -> Found:
    for key in value if fact.keys else ():
        if key not in INTERNAL and not re.search(fact.keys, key):
            yield f"{path}.{key}", f"a key that does not match '{fact.keys}'"


def _length(fact: Fact, path: str, length: int) -> Found:
    if fact.fewest is not None and length < fact.fewest and not (fact.empty and length == 0):
        yield path, f"found {plural(length, 'element')}, allowed: {fact.fewest} or more"
    if fact.most is not None and length > fact.most:
        yield path, f"found {plural(length, 'element')}, allowed: {fact.most} or fewer"


def _elements(fact: Fact, path: str, item: Value) -> Found:
    if fact.elements and isinstance(item, str) and item not in fact.elements:
        yield path, f"found '{item}', allowed: {', '.join(fact.elements)}"


def _scalar(fact: Fact, path: str, value: Value) -> Found:
    if fact is NOTHING or (fact.empty and value == ""):
        return
    text = _text(value)
    allowed = next(_unfit(fact, text), None)
    if allowed is not None:
        yield path, f"found '{text}', allowed: {allowed}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unfit(fact: Fact, text: str) -> Iterator[str]:
    """Yield what is allowed for each reason to refuse a text."""
    if fact.allowed and not _is_one_of(text, fact):
        yield ", ".join(_text(each) or "''" for each in fact.allowed)
    if text in fact.refused:
        yield f"anything but {', '.join(fact.refused)}"
    yield from _out_of_range(fact, text)
    if fact.shortest is not None and len(text.encode()) < fact.shortest:
        yield f"{plural(fact.shortest, 'byte')} or more"
    if fact.longest is not None and len(text.encode()) > fact.longest:
        yield f"{plural(fact.longest, 'byte')} or fewer"
    yield from (f"what matches '{each}'" for each in fact.patterns if not matches(each, text))
    yield from (
        f"what does not match '{each}'" for each in fact.refused_patterns if matches(each, text)
    )
    if not text.endswith(fact.suffix):
        yield f"what ends with '{fact.suffix}'"
    if fact.format and not _FORMATS[fact.format](text, fact):
        yield _WORDS[fact.format].format(*fact.bits)


def _is_one_of(text: str, fact: Fact) -> bool:
    if fact.ignore_case:
        return text.lower() in (_text(each).lower() for each in fact.allowed)
    return text in map(_text, fact.allowed)


def matches(pattern: str, text: str) -> bool:
    """Return whether a text has a pattern of RE2 somewhere in it."""
    return re.search(_ESCAPE.sub(r"\\Z", pattern), text) is not None


def _out_of_range(fact: Fact, text: str) -> Iterator[str]:
    if fact.minimum is None and fact.maximum is None and not fact.ranges:
        return
    try:
        number = float(text)
    except ValueError:
        return
    low, high = fact.minimum, fact.maximum
    if low is not None and (number <= low if fact.above_minimum else number < low):
        yield f"more than {low}" if fact.above_minimum else f"{low} or more"
    if high is not None and number > high:
        yield f"{high} or less"
    if fact.ranges and not any(least <= number <= most for least, most in fact.ranges):
        yield ", ".join(f"{least} to {most}" for least, most in fact.ranges)


def _read(parse: Callable[[str], Any]) -> Callable[[str, Fact], bool]:
    """Return a check that passes what `parse` reads."""

    def check(text: str, fact: Fact) -> bool:
        del fact
        try:
            parse(text)
        except (ValueError, re.error):
            return False
        return True

    return check


def _network(text: str, fact: Fact) -> bool:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        return False
    return "/" in text and fact.bits[0] <= network.prefixlen <= fact.bits[1]


def _cidr(text: str) -> None:
    if "/" not in text:
        raise ValueError
    ipaddress.ip_interface(text)


def _json(kind: type) -> Callable[[str], None]:
    def parse(text: str) -> None:
        if not isinstance(json.loads(text), kind):
            raise ValueError

    return parse


def _time(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None or text[10:11] not in {"T", "t"}:
        raise ValueError


def _duration(text: str) -> None:
    if text != "0" and (not text or _DURATION.sub("", text)):
        raise ValueError


_FORMATS: Final[dict[str, Callable[[str, Fact], bool]]] = {
    "base64": _read(lambda text: base64.b64decode(text, validate=True)),
    "cidr": _read(_cidr),
    "cidrNetwork": _network,
    "duration": _read(_duration),
    "ip": _read(ipaddress.ip_address),
    "json": _read(json.loads),
    "jsonArray": _read(_json(list)),
    "jsonObject": _read(_json(dict)),
    "regex": _read(re.compile),
    "rfc3339": _read(_time),
}


_WORDS: Final = {
    "base64": "text in base64",
    "cidr": "a range such as 10.0.0.0/24",
    "cidrNetwork": "a network of /{} to /{}, such as 10.0.0.0/24",
    "duration": "a duration such as 90s",
    "ip": "an IP address",
    "json": "JSON",
    "jsonArray": "a list in JSON",
    "jsonObject": "an object in JSON",
    "regex": "a regular expression",
    "rfc3339": "a time such as 2026-11-21T08:00:00Z",
}


def _groups(facts: Facts, inputs: Values) -> Found:
    """Yield what may not, or must, be given with something else; `[*]` is the first element."""
    told: set[tuple[str, ...]] = set()
    for path, fact in facts.by_path.items():
        if not (fact.conflicts or fact.needs or fact.one_of or fact.any_of):
            continue
        if _at(inputs, path.rpartition(".")[0]) is None:
            continue
        if _is_given(inputs, path):
            yield from _together(fact, path, inputs)
        for group, alone in ((fact.one_of, True), (fact.any_of, False)):
            if group and group not in told:
                told.add(group)
                yield from _number_of(group, path, inputs, alone=alone)


def _together(fact: Fact, path: str, inputs: Values) -> Found:
    for other in fact.conflicts:
        if _is_given(inputs, other):
            yield path, f"conflicts with '{other}': give one of them"
    for other in fact.needs:
        if _at(inputs, other) is None:
            yield path, f"needs '{other}' beside it"


def _number_of(group: tuple[str, ...], path: str, inputs: Values, *, alone: bool) -> Found:
    given = [each for each in group if _is_given(inputs, each)]
    if alone and len(given) > 1:
        yield given[1], f"conflicts with '{given[0]}': give one of {', '.join(group)}"
    elif not given and all(_at(inputs, each) is None for each in group):
        yield path, f"nothing given, allowed: one of {', '.join(group)}"


def _is_given(inputs: Values, path: str) -> bool:
    found = _at(inputs, path)
    return found is not None and not isinstance(found, Unknown)


def _at(inputs: Values, path: str) -> Value:
    """Return the value at a path; None where there is none, and unknown below the unknown."""
    found: Value = inputs
    for step in path.replace("[*]", ".[*]").split(".") if path else ():
        found = found.value if isinstance(found, Secret) else found
        if isinstance(found, Unknown):
            return found
        if step == "[*]":
            found = found[0] if is_list(found) and found else None
        else:
            found = found.get(step) if is_map(found) else None
    found = found.value if isinstance(found, Secret) else found
    return None if found == [] else found
