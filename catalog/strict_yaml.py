"""YAML read the way Pulumi's engine reads it, and stricter: a key given twice is an error.

PyYAML follows YAML 1.1, where `on` is true, `1:30` is 90 and `2026-01-01` is a date. The engine
follows YAML 1.2, so only its scalars are resolved here; anything else stays text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, cast

import yaml

from catalog.problems import cut, shown_path

_MERGE = "tag:yaml.org,2002:merge"
_DEEPEST = 32
_SHOWN_KEYS = 4
_MOST_REPEATED = 1000


class YamlError(ValueError):
    """A document that cannot be read: what is wrong and where (line and column from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        message = cut(message, 200)
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class _Loader(yaml.SafeLoader):
    """Core-schema scalars only, no duplicate keys, aliases that repeat little."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def __init__(self, text: str, most: int | None = None) -> None:
        super().__init__(text)
        self._most = most
        self._path: list[str | int] = []
        self._depth = 0
        self._repeated = 0
        self._sizes: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node. Raises YamlError where it is too deep, or repeats too much."""
        event = cast("yaml.Event", self.peek_event())
        given: object = index
        step = given.value if isinstance(given, yaml.ScalarNode) else given
        self._path += [step] if isinstance(step, str | int) else []
        if self._depth > _DEEPEST:
            raise self._refused(event, "nested too deep")
        if self._most is not None and len(self._sizes) >= self._most:
            raise self._refused(event, f"more than {self._most:,} keys and values")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None:
            return node
        if isinstance(event, yaml.AliasEvent):
            if node not in self._sizes:
                raise self._refused(event, "an alias inside of what it stands for")
            self._repeated += self._sizes[node]
            if self._repeated > _MOST_REPEATED:
                found = f"aliases that stand for more than {_MOST_REPEATED} values"
                raise self._refused(event, found)
        else:
            self._sizes[node] = 1 + sum(self._sizes[each] for each in _parts(node))
        if isinstance(step, str | int):
            self._path.pop()
        return node

    def _refused(self, event: yaml.Event, found: str) -> YamlError:
        keys = tuple(self._path[:_SHOWN_KEYS])
        return _at(event.start_mark, f"{found} in {shown_path(keys)}" if keys else found)


class _OwnLoader(yaml.CSafeLoader):
    """The same for files of the project's own, ten times as fast: nothing bounds its aliases."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_LOADERS = (_Loader, _OwnLoader)


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _at(mark: Any, message: str) -> YamlError:
    return YamlError(message, mark.line + 1, mark.column + 1)


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(?:0|[1-9][0-9]*)$|^0o[0-7]+$|^0x[0-9a-fA-F]+$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^<<$", "<"),
):
    for _each in _LOADERS:
        _each.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _mapping(loader: _Loader | _OwnLoader, node: yaml.MappingNode) -> dict[Hashable, object]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        # A merge key may stand several times: each brings in other keys.
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        if key.value in lines:
            found = f"the key '{cut(key.value)}' was already given on line {lines[key.value]}"
            raise _at(key.start_mark, found)
        lines[key.value] = key.start_mark.line + 1
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


def _integer(loader: _Loader | _OwnLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    try:
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    except ValueError:  # Python reads at most some thousand digits.
        raise _at(node.start_mark, "a number that is too long") from None


for _each in _LOADERS:
    _each.add_constructor("tag:yaml.org,2002:map", _mapping)
    _each.add_constructor("tag:yaml.org,2002:int", _integer)


def load(text: str, *, own: bool = False, most: int | None = None) -> object:
    """Return the one document in `text`, as plain Python values; None when it is empty.

    `own` is a text of the project's own, which is read faster; `most` bounds the keys and values of
    another. Raises YamlError for broken YAML, a key given twice, a tag, or a second document.
    """
    try:
        return (_OwnLoader(text) if own else _Loader(text, most)).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "cannot be read as YAML"
        if message.startswith("but ") and error.context:
            message = f"{error.context}, {message}"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(message, line, column) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line = before.rpartition("\n")[2]
        found = f"the control character U+{error.character:04X} after '{line.strip()[-60:]}'"
        raise YamlError(found, before.count("\n") + 1, len(line) + 1) from None
