"""Pydantic's findings as problems in the user's words, with what the schema says is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from pydantic_core import ErrorDetails

from catalog.limits import LimitError
from catalog.problems import KeyPath, Problem, did_you_mean, joined, lookalike, shown, shown_path
from config.platform import Platform

Node = Mapping[str, Any]

_KINDS: Final[Mapping[str, str]] = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


@cache
def _schema() -> Node:
    return Platform.model_json_schema()


def _resolved(node: Node) -> Node:
    """Return the node behind a reference or beside null; its description stays."""
    if "$ref" in node:
        target: Node = _schema()["$defs"][node["$ref"].rpartition("/")[2]]
        return {**target, **{key: node[key] for key in node if key != "$ref"}}
    choices = [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]
    if len(choices) == 1:
        return {**_resolved(choices[0]), **{key: node[key] for key in node if key != "anyOf"}}
    return node


def _node(path: Sequence[str | int]) -> Node:
    """Return the schema of what stands at `path`; empty when the schema does not say."""
    node = _resolved(_schema())
    for step in path:
        node = _resolved(_below(node, step))
    return node


def _below(node: Node, step: str | int) -> Node:
    if isinstance(step, int):
        return cast("Node", node.get("items", {}))
    properties: Mapping[str, Node] = node.get("properties", {})
    if step in properties:
        return properties[step]
    by_pattern: Mapping[str, Node] = node.get("patternProperties", {})
    others = node.get("additionalProperties")
    return next(iter(by_pattern.values()), cast("Node", others) if others else {})


@cache
def _collections() -> Mapping[str, Sequence[KeyPath]]:
    """Return the paths of the config's mappings by name, by the last key of each."""
    found: dict[str, list[KeyPath]] = {}

    def walk(node: Node, path: KeyPath) -> None:
        for key, below in _resolved(node).get("properties", {}).items():
            if "properties" not in _resolved(below):
                found.setdefault(key, []).append((*path, key))
            walk(below, (*path, key))

    walk(_schema(), ())
    return found


def _elsewhere(path: KeyPath) -> str:
    """Return what to do with an unknown key: another collection of that name may know it."""
    if len(path) < 3:
        return "remove it"
    collection, entry, key = path[-3:]
    for other in _collections().get(str(collection), ()):
        if key in _node((*other, entry)).get("properties", {}):
            return f"it is a key of {shown_path((*other, entry))}: move it there"
    return "remove it"


def _allowed(node: Node) -> str:
    """Return what the schema allows, as a phrase."""
    if "enum" in node:
        return listed_in_order(node["enum"])
    if "const" in node:
        return shown(node["const"])
    kind = node.get("type")
    if kind in {"integer", "number"}:
        return f"{_KINDS[kind]}{_bounds(node)}"
    if kind == "array":
        least = ", one entry or more" if node.get("minItems") else ""
        most = f", {node['maxItems']} entries or fewer" if "maxItems" in node else ""
        return f"a list{least}{most}"
    if kind == "object":
        keys = node.get("properties")
        least = ", one entry or more" if node.get("minProperties") else ""
        return f"a mapping with {joined(keys)}" if keys else f"a mapping{least}"
    return str(node.get("patternErrorMessage") or _KINDS.get(str(kind), "another value"))


def _bounds(node: Node) -> str:
    least, most = node.get("minimum"), node.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f", {least} or more"
    if "exclusiveMinimum" in node:
        upper = f", at most {most}" if most is not None else ""
        return f" greater than {node['exclusiveMinimum']}{upper}"
    return ""


def listed_in_order(values: Sequence[object]) -> str:
    """Return values as a phrase, in their own order."""
    return ", ".join(str(value) for value in values)


def _nearest(error: ErrorDetails, node: Node) -> str:
    choices: Sequence[object] = node.get("enum", ())
    if str(error["input"]) in choices:
        return "put quotes around it"
    return did_you_mean(error["input"], map(str, choices), "choose one of them")


def _retyped(error: ErrorDetails, node: Node) -> str:
    value = error["input"]
    if value is None:
        return "give a value"
    if node.get("type") == "string" and isinstance(value, bool | int | float):
        return "put quotes around it"
    if node.get("type") == "boolean":
        return "write true or false, without quotes"
    if node.get("type") in {"integer", "number"} and isinstance(value, str):
        return "write it without quotes" if value else "give a value"
    return f"make it {_KINDS.get(str(node.get('type')), 'something else')}"


# Of how many problems the key that is meant is looked for; fewer are shown.
_GUESSED: Final = 1000
# What to do, by pydantic's kind of error.
_REMEDIES: Final[Mapping[str, Callable[[ErrorDetails, Node], str]]] = {
    "literal_error": _nearest,
    "greater_than_equal": lambda _, node: f"raise it to {node.get('minimum')} or more",
    "greater_than": lambda _, __: "raise it",
    "less_than_equal": lambda _, node: f"lower it to {node.get('maximum')} or less",
    "too_short": lambda _, __: "add one",
    "too_long": lambda _, __: "remove some",
    "string_too_short": lambda _, __: "give it",
    "string_too_long": lambda _, __: "shorten it",
}
# Errors that follow from others: a default that derives from a value with a problem of its own,
# a list that is too short without its wrong entries.
_FOLLOWS: Final = frozenset({"default_factory_not_called", "too_short"})


def problems_of(errors: Sequence[ErrorDetails]) -> list[Problem]:
    """Return one problem for each of pydantic's errors, in the order of the file's schema."""
    paths = [error["loc"] for error in errors]
    found = [
        _problem(error, guess=index < _GUESSED)
        for index, error in enumerate(errors)
        if error["type"] not in _FOLLOWS
        or (error["type"] == "too_short" and not _has_below(paths, error["loc"]))
    ]
    return list(dict.fromkeys(found))


def _has_below(paths: Sequence[KeyPath], path: KeyPath) -> bool:
    return any(other[: len(path)] == path and len(other) > len(path) for other in paths)


def _problem(error: ErrorDetails, *, guess: bool) -> Problem:
    path, found = error["loc"], shown(error["input"])
    if path and path[-1] == "[key]":
        path, found = path[:-1], f"the name {found}"
    kind, context = error["type"], error.get("ctx", {})
    if isinstance(breach := context.get("error"), LimitError):
        return Problem(path, breach.found or found, breach.allowed, breach.remedy)
    node = _node(path)
    if kind == "missing":
        description = str(node.get("description", "it is needed")).partition(". ")[0].rstrip(".")
        return Problem(path, "nothing", _allowed(node), f"add the key: {description}")
    if kind == "extra_forbidden":
        keys = _node(path[:-1]).get("properties", {})
        found = f"an unknown key{lookalike(str(path[-1]))}"
        remedy = did_you_mean(path[-1], keys if guess else (), _elsewhere(path))
        return Problem(path, found, joined(keys), remedy)
    remedy = _REMEDIES.get(kind, _retyped)(error, node)
    return Problem(path, found, _allowed(node), remedy)
