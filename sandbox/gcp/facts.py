"""What the Google Cloud provider itself knows of a type: `sandbox/facts/`, made by `facts_import`.

A file for each module of the SDK, a line for each type: its properties by path (`a.b`, `[*]` for an
element of a list), each with what the provider's schema says of it beyond the SDK's types.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from sandbox.sdk_types import ResourceType
from sandbox.values import Value

FOLDER: Final = Path(__file__).parents[1] / "facts"
VERSIONS: Final = FOLDER / "versions.json"
ELEMENT: Final = "[*]"
WHOLE: Final = "whole"


@dataclass(frozen=True)
class Fact:
    """What is known of one property; the empty fact says nothing."""

    required: bool = False
    computed: bool = False
    """Whether the cloud decides it where it isn't given."""
    default: Value = None
    secret: bool = False
    replaces: bool | str = False
    """Whether a change makes a new resource: True with all below, `whole` as it comes or goes."""
    unordered: bool = False
    conflicts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    allowed: tuple[str | bool, ...] = ()
    ignore_case: bool = False
    refused: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    """What elements of a list may be."""
    minimum: float | None = None
    maximum: float | None = None
    above_minimum: bool = False
    ranges: tuple[tuple[float, float], ...] = ()
    shortest: int | None = None
    longest: int | None = None
    patterns: tuple[str, ...] = ()
    refused_patterns: tuple[str, ...] = ()
    suffix: str = ""
    keys: str = ""
    """The pattern of a map's keys."""
    format: str = ""
    bits: tuple[int, int] = (0, 128)
    """The least and the most of a network's prefix."""
    empty: bool = False
    """Whether an empty text or list is taken in spite of the rest."""
    fewest: int | None = None
    most: int | None = None


NOTHING: Final = Fact()


@dataclass(frozen=True)
class Node:
    """A property with the properties inside of it; `element` is what a list's elements are."""

    fact: Fact = NOTHING
    members: dict[str, "Node"] = field(default_factory=dict[str, "Node"])
    element: "Node | None" = None


@dataclass(frozen=True)
class Facts:
    """What is known of a type: its properties by path, and as a tree."""

    by_path: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
    root: Node = field(default_factory=Node)
    never_updated: bool = False
    delete_first: bool = False

    def at(self, path: str) -> Fact:
        """Return what is known of the property at a path."""
        return self.by_path.get(path, NOTHING)


@cache
def facts_of(token: str) -> Facts | None:
    """Return what the provider knows of a type; None where that isn't known here."""
    _, middle, name = token.split(":")
    row = _module(middle.partition("/")[0]).get(name)
    if row is None:
        return None
    of_type = dict(row)
    by_path = {path: _fact(columns) for path, columns in of_type.pop("properties").items()}
    return Facts(by_path, _tree(by_path), **of_type)


def default_of(resource: ResourceType, name: str) -> Value:
    """Return the default of a property: of the provider's schema, else as the SDK documents it."""
    facts = facts_of(resource.token)
    return resource.documented_default(name) if facts is None else facts.at(name).default


@cache
def _module(name: str) -> dict[str, Any]:
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _fact(columns: dict[str, Any]) -> Fact:
    return Fact(**{key: _frozen(value) for key, value in columns.items()})


def _frozen(value: Any) -> Any:
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def _tree(by_path: Mapping[str, Fact]) -> Node:
    nodes: dict[str, Node] = {"": Node()}
    for path in sorted(by_path):
        _grow(nodes, path, by_path)
    return nodes[""]


def _grow(nodes: dict[str, Node], path: str, by_path: Mapping[str, Fact]) -> Node:
    if path in nodes:
        return nodes[path]
    node = nodes[path] = Node(by_path.get(path, NOTHING), element=None)
    if path.endswith(ELEMENT):
        outer = path.removesuffix(ELEMENT)
        before = _grow(nodes, outer, by_path)
        object.__setattr__(before, "element", node)
    else:
        parent, _, name = path.rpartition(".")
        _grow(nodes, parent, by_path).members[name] = node
    return node
