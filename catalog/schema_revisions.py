"""Whether a topic's schema may get a revision: one must do for the other's messages, both ways.

https://cloud.google.com/pubsub/docs/commit-schema-revision
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.protobuf import compiled, scalar_of

_OPTIONAL: Final = 1
# Each can be read as the other.
_TEXTS: Final = frozenset({"bytes", "string"})


def incompatibilities(type_: str, old: str, new: str) -> list[str]:
    """Return what keeps the new definition from being a revision; type_ is AVRO or ..._BUFFER."""
    if type_ == "AVRO":
        return list(_avro("", json.loads(old), json.loads(new)))
    return list(_protobuf(old, new))


def _avro(path: str, old: Any, new: Any) -> Iterator[str]:
    before, after = _kind(old), _kind(new)
    if before != after and frozenset((before, after)) != _TEXTS:
        yield f"{path or 'the schema'} was {before} and is {after}"
    elif before == "union":
        yield from _named(path, _by_name(old), _by_name(new), "branch", defaulted=False)
    elif before == "record":
        fields = ({field["name"]: field for field in each["fields"]} for each in (old, new))
        yield from _named(path, next(fields), next(fields), "field", defaulted=True)
    elif before == "enum" and set(old["symbols"]) != set(new["symbols"]):
        yield f"{path} has other symbols"
    elif before in {"array", "map"}:
        inner = "items" if before == "array" else "values"
        yield from _avro(f"{path}.{inner}", old[inner], new[inner])


def _named(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], what: str, *, defaulted: bool
) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        inner = f"{path}.{name}".lstrip(".")
        if name in old and name in new:
            types = (old[name]["type"], new[name]["type"]) if defaulted else (old[name], new[name])
            yield from _avro(inner, *types)
        elif not (defaulted and "default" in (old.get(name) or new[name])):
            came = "came" if name in new else "went"
            yield f"{what} {inner} {came}{' without a default' if defaulted else ''}"


def _kind(schema: Any) -> str:
    match schema:
        case list():
            return "union"
        case {"type": inner}:
            return _kind(inner)
        case _:
            return str(schema)


def _by_name(union: list[Any]) -> dict[str, Any]:
    return {_name(each): each for each in union}


def _name(branch: Any) -> str:
    match branch:
        case {"name": name}:
            return str(name)
        case _:
            return _kind(branch)


def _protobuf(old: str, new: str) -> Iterator[str]:
    before, after = (
        {field.number: field for field in compiled(each).message_type[0].field}
        for each in (old, new)
    )
    for number in sorted(before.keys() | after.keys()):
        fields = [each[number] for each in (before, after) if number in each]
        said = {(field.name, scalar_of(field), field.type_name, field.label) for field in fields}
        if len(said) > 1:
            yield f"field {number} ({fields[0].name}) is another"
        elif len(fields) == 1 and fields[0].label != _OPTIONAL:
            yield f"field {number} ({fields[0].name}) isn't optional"
