"""What the sandbox answers to every fact of a file of provider facts, as one wrong change each.

`python -m tests.sandbox.against_facts FILE` takes the inputs of every type that the stacks of
`tests/config/matrix` make, under mocks, and changes one property after the other: to what the facts
forbid, which Check must refuse at that property, and to another value, which Diff must answer with
a replacement where the facts say so. FILE is that of `python -m sandbox.gcp.facts_import`.
"""

# Facts and inputs are any JSON:
from __future__ import annotations

import copy
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.gcp.constraints import matches
from sandbox.providers import serve
from sandbox.world import World
from tests.config.matrix import ENVIRONMENTS, stacks
from tests.kubernetes.test_every_option import made
from tests.sandbox.client import Client, RefusedError, connect

Facts = Mapping[str, Any]
_LARGEST: Final = 7
"""So many stacks of an environment have every type."""
_MISFITS: Final = ("!! ??", "A_B", "-x-", "x" * 300, "9", "a/b", "goog-x", " ")
_ANOTHER: Final = {
    "base64": "YWJj",
    "cidr": "10.99.0.0/24",
    "cidrNetwork": "10.99.0.0/24",
    "duration": "77s",
    "ip": "10.9.9.9",
    "json": "{}",
    "jsonArray": "[]",
    "jsonObject": "{}",
    "regex": "a",
    "rfc3339": "2027-11-21T08:00:00Z",
}
_NO_FORMAT: Final = {"base64": "***", "regex": "("}


def main(file: str) -> int:
    """Print what is answered otherwise than the facts say; return 1 where there is some."""
    facts = json.loads(Path(file).read_text())
    wrong = [0, 0]
    updates = [0, 0]
    with (
        tempfile.TemporaryDirectory() as folder,
        World(Path(folder) / "world.db") as world,
        serve(world, patience=0.2) as servers,
        connect(servers.ports["gcp"]) as cloud,
    ):
        cloud.configure(project="acme", region="us-central1")
        for token, given in _made().items():
            if token not in facts:
                print(f"without facts: {token}")
                continue
            known = {
                path: each
                for path, each in facts[token]["props"].items()
                if not each.get("notInSdk")
            }
            # What mocks don't know is missing: what is told of it says nothing of a change.
            before = {each.path for each in cloud.checked(token, given)[1]}
            unclear = {_around(each) for each in before}
            for path, kind, change in _wrong(known, given):
                if _around(path) in unclear:
                    continue
                new = _changed(given, change)
                refused = new is not None and _refused(cloud, token, new, before, change)
                _count(wrong, refused, f"taken: {token} {path}: {kind}")
            for path, change in _others(known, given, facts[token]):
                new = _changed(given, change)
                replaces = bool(cloud.diff(token, "id", given, new or {}).replaces)
                wanted = bool(facts[token].get("noUpdate")) or _forces_new(known, path)
                _count(updates, replaces == wanted, f"{token} {path}: replaces is {replaces}")
    print(f"wrong changes that are refused: {wrong[1]} of {wrong[0]}")
    print(f"other changes that replace where the facts say so: {updates[1]} of {updates[0]}")
    return int(wrong[0] != wrong[1] or updates[0] != updates[1])


def _made() -> dict[str, Any]:
    """Return the largest inputs of each type."""
    found: dict[str, Any] = {}
    for environment in ENVIRONMENTS:
        for number in range(min(_LARGEST, len(stacks(environment)))):
            for each in made(environment, number).resources:
                inputs = dict(each.inputs)
                if each.type.startswith("gcp:") and len(str(inputs)) > len(
                    str(found.get(each.type, ""))
                ):
                    found[each.type] = inputs
    return found


def _around(path: str) -> str:
    return path.rpartition(".")[0] or path


def _count(counts: list[int], good: bool, told: str) -> None:
    counts[0] += 1
    counts[1] += good
    if not good:
        print(told)


def _refused(
    cloud: Client, token: str, new: Any, before: set[str], change: Mapping[str, Any]
) -> bool:
    """Return whether a change is refused at a property it is about, or at one it needs."""
    try:
        told = {each.path for each in cloud.checked(token, new)[1]} - before
    except RefusedError as defect:
        print(defect)
        return False
    at = [path.replace("[*]", "[0]") for path in change]
    near = any(each.startswith(path) or path.startswith(each) for each in told for path in at)
    return near or (bool(told) and len(change) == 1)


def _place(inputs: Any, path: str) -> tuple[Any, str, int] | None:
    """Return the mapping that holds a property, its key, and how many lists deep it is there."""
    steps = re.findall(r"[^.\[\]]+|\[\*\]", path)
    depth = 0
    while steps[-1] == "[*]":
        steps.pop()
        depth += 1
    for step in steps[:-1]:
        if step == "[*]":
            inputs = inputs[0] if isinstance(inputs, list) and inputs else None
        else:
            inputs = inputs.get(step) if isinstance(inputs, dict) else None
    return (inputs, steps[-1], depth) if isinstance(inputs, dict) else None


def _changed(inputs: Any, change: Mapping[str, Any]) -> Any:
    """Return the inputs with values at paths; None takes one away."""
    new = copy.deepcopy(inputs)
    for path, value in change.items():
        place = _place(new, path)
        if place is None:
            return None
        holder, key, depth = place
        for _ in range(depth):
            value = [value]
        if value is None:
            holder.pop(key, None)
        else:
            holder[key] = value
    return new


def _wrong(facts: Mapping[str, Facts], given: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the path, kind and change of each wrong one."""
    for path, fact in facts.items():
        place = _place(given, path)
        if place is None:
            continue
        there = place[1] in place[0]
        for kind, value in _misfits(fact):
            yield path, kind, {path: value}
        if fact.get("mode") == "required" and "autoName" not in fact and there:
            yield path, "missing", {path: None}
        if fact.get("mode") == "computed" and "." not in path:
            yield path, "output", {path: _sample(fact)}
        several = place[0].get(place[1])
        if "maxItems" in fact and fact["maxItems"] > 1 and several:
            yield path, "too many", {path: [several[0]] * (fact["maxItems"] + 1)}
        for other in fact.get("conflictsWith", ()):
            beside = _place(given, other) if other in facts else None
            apart = not other.startswith(f"{path}.") and not path.startswith(f"{other}.")
            if beside is not None and apart and not (there and beside[1] in beside[0]):
                missing = {
                    each: _sample(facts[each]) for each in (path, other) if not _stands(given, each)
                }
                yield path, f"conflict with {other}", missing
        group = [
            each for each in fact.get("exactlyOneOf", ()) if each in facts and _place(given, each)
        ]
        standing = [each for each in group if _stands(given, each)]
        if standing and path in group and path not in standing:
            yield path, "one of several", {path: _sample(fact)}
        if standing == [path]:
            yield path, "none of several", {path: None}
        needed = [each for each in fact.get("requiredWith", ()) if each in facts and each != path]
        if (
            needed
            and not there
            and any(_place(given, each) and not _stands(given, each) for each in needed)
        ):
            yield path, "alone", {path: _sample(fact)}


def _stands(given: Any, path: str) -> bool:
    place = _place(given, path)
    return place is not None and place[1] in place[0]


def _misfits(fact: Facts) -> Iterator[tuple[str, Any]]:
    """Yield values that a property of one value may not have."""
    kind = fact["type"]
    if kind in {"list", "set", "map", "object"}:
        yield (
            "type",
            "a text" if kind in {"map", "object"} or fact.get("elem") == "object" else {"a": "b"},
        )
        return
    yield "type", {"string": {"a": "b"}, "bool": "perhaps"}.get(kind, "many")
    if "enum" in fact:
        yield "value", "WRONG_VALUE" if kind == "string" else 987654
        named = next((each for each in fact["enum"] if each), "")
        if kind == "string" and named.swapcase() not in fact["enum"]:
            yield "case", named.swapcase()
    if "min" in fact:
        yield "too small", fact["min"] - (not fact.get("minExclusive"))
    if "max" in fact:
        yield "too large", fact["max"] + 1
    if fact.get("minLength", 0) > 1:
        yield "too short", "a" * (fact["minLength"] - 1)
    if "maxLength" in fact:
        yield "too long", "a" * (fact["maxLength"] + 1)
    for key, wanted in (("pattern", False), ("notPattern", True)):
        patterns = fact.get(key, [])
        patterns = patterns if isinstance(patterns, list) else [patterns]
        for pattern in patterns:
            misfit = next((each for each in _MISFITS if matches(pattern, each) == wanted), None)
            if misfit is not None:
                yield key, misfit
    if "format" in fact:
        yield "format", _NO_FORMAT.get(fact["format"], "no such thing {")


def _sample(fact: Facts) -> Any:
    """Return a value that a property may have."""
    kind = fact["type"]
    if fact.get("enum"):
        return next((each for each in fact["enum"] if each != ""), "")
    if kind in {"list", "set"}:
        return [{} if fact.get("elem") == "object" else "a-sample"]
    text = _ANOTHER.get(fact.get("format", ""), "a-sample")
    return {"string": text, "bool": True, "object": {}, "map": {"a": "b"}}.get(
        kind, fact.get("min", 1)
    )


def _others(
    facts: Mapping[str, Facts], given: Any, row: Facts
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield another value for each property of one value."""
    for path, fact in facts.items():
        place = _place(given, path)
        if place is None or place[1] not in place[0] or path in row.get("conditionalForceNew", ()):
            continue
        value = place[0][place[1]]
        for _ in range(place[2]):
            value = value[0] if isinstance(value, list) and value else value
        other = _other(fact, value)
        if other is not None:
            yield path, {path: other}


def _other(fact: Facts, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if fact.get("enum"):
        return next((each for each in fact["enum"] if each not in {value, ""}), None)
    if isinstance(value, int | float):
        return value - 1 if value + 1 > fact.get("max", value + 1) else value + 1
    # Text in JSON may say the same in other words.
    if isinstance(value, str) and not fact.get("format", "").startswith("json"):
        return _ANOTHER.get(fact.get("format", ""), f"{value}x")
    return None


def _forces_new(facts: Mapping[str, Facts], path: str) -> bool:
    whole = path.removesuffix("[*]")
    return bool(
        facts[path].get("forceNew") or (facts.get(whole, {}).get("forceNew") and whole != path)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
