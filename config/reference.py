"""Writes the reference of a stack file: `python -m config.reference [--check]`.

All is read from the models, their limits, the examples and the table of versions.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from catalog import strict_yaml
from catalog.limits import Choice, Entries, Limit
from catalog.pages import kept, table
from config.examples import WHOLE, example
from config.keys import Key, chosen, is_model, keys, plain, several

FOLDER: Final = Path(__file__).parents[1] / "docs" / "reference" / "config"
INDEX: Final = FOLDER / "README.md"
VERSIONS: Final = Path(__file__).parent / "since.yaml"
UNRELEASED: Final = "unreleased"

_NOTE: Final = "<!-- Written by `python -m config.reference`. -->"
_COLUMNS: Final = ("key", "what", "type, and what is allowed", "default", "example", "since")
_MOST_VALUES: Final = 12
"""Longer lists of values stand below the tables."""
_UNITS: Final = {"seconds": "seconds", "percent": "percent"}
"""Of keys whose type has no limit that says it, by the end of their names."""
_DEFAULT: Final = re.compile(r"\s*\b[Dd]efault: (.+?)(?:\.(?=\s|$)|$)", re.DOTALL)
_KINDS: Final = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_ANYTHING: Final = "text, a number, true or false"
_ABOUT: Final = """\
What can stand below `config:` in `Pulumi.<environment>.yaml`. Editors show the same, and complete
it, by [schema.json](../../../config/schema.json). `*` is each entry of a list or mapping. *Since*
is the version of the [CHANGELOG](../../../CHANGELOG.md) that brought the key. The examples are from
[config/examples](../../../config/examples/), stack files that a test loads."""


def pages() -> Mapping[Path, str]:
    """Return each page with its text. Raises ValueError for a key without example."""
    known = [*keys()]
    since = dict(_since(strict_yaml.load(VERSIONS.read_text(encoding="utf-8"))))
    wanted = {VERSIONS: _versions(known, since)}
    found = {key.path: since.get(key.path, UNRELEASED) for key in known}
    wanted[INDEX] = _index(known, found)
    for area in known:
        if len(area.path) == 1 and area.below is not None:
            below = [key for key in known if key.path[0] == area.name]
            wanted[FOLDER / f"{area.name}.md"] = _area(area, below, found)
    return wanted


def _index(known: Sequence[Key], since: Mapping[tuple[str, ...], str]) -> str:
    values: dict[str, Sequence[Any]] = {}
    rows = [_row(key, since[key.path], values) for key in known if len(key.path) == 1]
    parts = ("# Keys of a stack file", _NOTE, _ABOUT, table(_COLUMNS, rows), *_lists(values))
    return "\n\n".join(parts) + "\n"


def _area(area: Key, below: Sequence[Key], since: Mapping[tuple[str, ...], str]) -> str:
    values: dict[str, Sequence[Any]] = {}
    parts = [
        f"# `{area.name}` in a stack file",
        _NOTE,
        f"{_described(area)[0]} [All areas](README.md)",
        f"```yaml\n{_written(area.name)}```",
    ]
    for key in below:
        if key.below is None:
            continue
        own = [each for each in below if each.path[:-1] == key.inner]
        parts += [
            f"## `{_shown(key.inner)}`",
            _text(inspect.cleandoc(key.below.__doc__ or "")),
            table(_COLUMNS, [_row(each, since[each.path], values) for each in own]),
        ]
    return "\n\n".join([*parts, *_lists(values)]) + "\n"


def _lists(values: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if values:
        yield "## Values"
    for name, each in values.items():
        yield f"### Values of {name}"
        yield ", ".join(f"`{value}`" for value in each)


def _row(key: Key, since: str, values: dict[str, Sequence[Any]]) -> Sequence[str]:
    what, default = _described(key)
    shown = "" if key.below is not None else f"`{json.dumps(example(key), ensure_ascii=False)}`"
    return (f"`{key.name}`", _text(what), _type(key, values), default, shown, since)


def _described(key: Key) -> tuple[str, str]:
    """Return what a key means, and its default: as its docstring has it, or its value."""
    what = " ".join(str(key.field.description).split())
    if (said := _DEFAULT.search(what)) is not None:
        rest = f"{what[: said.start()].rstrip(';')} {what[said.end() :].strip()}".strip()
        return (rest if rest.endswith(".") else f"{rest}."), said[1]
    if key.field.is_required():
        return what, "**required**"
    value = key.field.default
    if value is None:
        return what, "none"
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return what, "those of its keys" if key.below and not _many(key) else "none"
    if isinstance(value, tuple):
        return what, ", ".join(f"`{each}`" for each in cast("tuple[object, ...]", value)) or "none"
    return what, f"`{json.dumps(value)}`"


def _many(key: Key) -> bool:
    return key.inner != key.path


def _type(key: Key, values: dict[str, Sequence[Any]]) -> str:
    annotation = key.field.annotation
    metadata = tuple(key.field.metadata)
    said = _of(annotation, metadata, key, values)
    unit = _UNITS.get(key.name.rpartition("_")[2], "")
    limited = any(isinstance(each, Limit) for each in (*metadata, *plain(annotation)[1]))
    return f"{said} {unit}".strip() if unit and not limited and unit not in said else said


def _of(
    annotation: Any, metadata: Sequence[Any], key: Key, values: dict[str, Sequence[Any]]
) -> str:
    """Return a type and its limits in words; longer lists of values go into `values`."""
    if several(annotation):
        return _ANYTHING
    kind, own = plain(chosen(annotation))
    limits = [*metadata, *own]
    origin, inner = get_origin(kind), get_args(kind)
    if is_model(kind):
        return _link(key)
    if origin is tuple:
        return f"list of {_of(inner[0], (), key, values)}{_bounds(limits, '; ')}"
    if origin is Literal:
        return _choice(inner, key, values)
    if origin is not None:
        named = _of(inner[0], (), key, values)
        by = "" if named == "text" else f"; names: {named}"
        return f"map of {_of(inner[1], (), key, values)}{by}{_bounds(limits, '; ')}"
    if (choice := next((each for each in limits if isinstance(each, Choice)), None)) is not None:
        return _choice(tuple(choice.values), key, values)
    if (limit := next((each for each in limits if isinstance(each, Limit)), None)) is not None:
        return limit.allowed
    return f"{_KINDS[kind]}{_bounds(limits, ', ')}"


def _choice(given: Sequence[Any], key: Key, values: dict[str, Sequence[Any]]) -> str:
    if len(given) <= _MOST_VALUES:
        return ", ".join(
            f"`{json.dumps(each)}`" if not isinstance(each, str) else f"`{each}`" for each in given
        )
    values[key.name] = given
    return f"[one of {len(given)}](#values-of-{key.name})"


def _bounds(metadata: Sequence[Any], before: str) -> str:
    """Return the bounds that pydantic's own annotations, and limits of entries, set."""
    said: list[str] = []
    for each in metadata:
        match each:
            case bounds.Gt(gt):
                said.append(f"more than {gt:,}")
            case bounds.Ge(ge):
                said.append(f"{ge:,} or more")
            case bounds.Le(le):
                said.append(f"at most {le:,}")
            case bounds.MinLen(least) if least > 1:
                said.append(f"{least:,} or longer")
            case bounds.MinLen():
                said.append("not empty")
            case bounds.MaxLen(most):
                said.append(f"at most {most:,} long")
            case Entries():
                said.append(each.allowed)
            case _:
                pass
    return before + ", ".join(said) if said else ""


def _link(key: Key) -> str:
    """Return a link to the section of what stands below a key."""
    area, *rest = key.path
    page = "" if rest else f"{area}.md"
    anchor = re.sub(r"[^a-z0-9_ -]", "", _shown(key.inner).lower()).replace(" ", "-")
    return f"[`{_shown(key.inner)}`]({page}#{anchor})"


def _shown(path: Sequence[str]) -> str:
    """Return a path as text: `models.*.replica_sets.*`."""
    return ".".join(path)


def _text(words: str) -> str:
    """Return prose as Markdown has it."""
    return words.replace("<", "&lt;").replace("*", r"\*")


def _written(area: str) -> str:
    """Return an area as the examples have it, with its comments."""
    lines = WHOLE.read_text(encoding="utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"  {area}:"))
    rest = lines[start + 1 :]
    end = next((at for at, line in enumerate(rest) if re.match(r" {0,2}[^ ]", line)), len(rest))
    return textwrap.dedent("\n".join((lines[start], *rest[:end]))).rstrip() + "\n"


def _since(document: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each key's path and version, by a table of versions."""
    for version, places in document.items():
        for place, names in places.items():
            for name in str(names).split():
                yield (*(part for part in place.split(".") if part != "config"), name), version


def _versions(known: Sequence[Key], since: Mapping[tuple[str, ...], str]) -> str:
    """Return the table of versions with each key that there is, and no other."""
    found: dict[str, dict[str, list[str]]] = {version: {} for version in since.values()}
    for key in known:
        version = found.setdefault(since.get(key.path, UNRELEASED), {})
        version.setdefault(".".join(("config", *key.path[:-1])), []).append(key.name)
    lines = [
        "# The version that brought each key of a stack file, by the place it stands at. A new key",
        f"# is written under `{UNRELEASED}`, which gets its number with the release.",
    ]
    for version, places in found.items():
        lines.append(f'"{version}":')
        for place, names in places.items():
            lines.append(f'  "{place}": >-')
            lines += textwrap.wrap(
                " ".join(names), 94, initial_indent="    ", subsequent_indent="    "
            )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; return the exit code."""
    return kept("config.reference", pages, arguments, stray=lambda: [*FOLDER.glob("*.md")])


if __name__ == "__main__":
    sys.exit(main())
