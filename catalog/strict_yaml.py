"""YAML read the way Pulumi's engine reads it, and stricter: a key given twice is an error.

PyYAML follows YAML 1.1, where `on` is true, `1:30` is 90 and `2026-01-01` is a date. The engine
follows YAML 1.2, so only its scalars are resolved here; anything else stays text.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

import yaml

_MERGE = "tag:yaml.org,2002:merge"


class YamlError(ValueError):
    """A document that cannot be read: what is wrong and where (line and column from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class _Loader(yaml.SafeLoader):
    """Core-schema scalars only, no duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


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
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, object]:
    lines: dict[str, int] = {}
    for key, _ in node.value:
        # A merge key may stand several times: each brings in other keys.
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        mark = key.start_mark
        if key.value in lines:
            raise YamlError(
                f"the key '{key.value}' was already given on line {lines[key.value]}",
                mark.line + 1,
                mark.column + 1,
            )
        lines[key.value] = mark.line + 1
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    try:
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    except ValueError:  # Python reads at most some thousand digits.
        mark = node.start_mark
        raise YamlError("a number that is too long", mark.line + 1, mark.column + 1) from None


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def load(text: str) -> object:
    """Return the one document in `text`, as plain Python values; None when it is empty.

    Raises YamlError for broken YAML, a key given twice, a tag, or a second document.
    """
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = error.problem or error.context or "cannot be read as YAML"
        if message.startswith("but ") and error.context:
            message = f"{error.context}, {message}"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(message, line, column) from None
    except yaml.YAMLError as error:
        raise YamlError(str(error).splitlines()[0], 1, 1) from None
    except RecursionError:
        raise YamlError("nested too deep", 1, 1) from None
