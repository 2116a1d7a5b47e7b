"""Takes over the provider's facts: `python -m sandbox.gcp.facts_import FILE`.

FILE holds, by type and property, what the schemas and validators of pulumi-gcp and its upstream say
(not kept here). Written is the part that matters to the types that components make or
`sandbox/types/` knows, or that were taken over before, less what the SDK's own types say, plus the
values that the SDK documents. What was written of types that FILE doesn't have stays.
`--check` says whether the SDK in use is the one the facts were taken over for.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from sandbox.gcp.facts import ELEMENT, FOLDER, VERSIONS, WHOLE, facts_of
from sandbox.gcp.rows import services
from sandbox.sdk_shapes import ListOf, ObjectOf, Property, documentation
from sandbox.sdk_types import ResourceType, resource_type, tokens

_ROOT: Final = Path(__file__).parents[2]
_USES: Final = re.compile(r"\bgcp\.([a-z0-9]+\.[A-Z]\w+)")
_VALUES: Final = re.compile(
    r"(?:possible|valid|allowed|supported) values(?: are| include)?:?|one of:", re.IGNORECASE
)
_QUOTED: Final = re.compile(r"[`\"']([\w./:-]*)[`\"']")
_RENAMED: Final = {
    "default": "default",
    "secret": "secret",
    "conflictsWith": "conflicts",
    "requiredWith": "needs",
    "exactlyOneOf": "one_of",
    "atLeastOneOf": "any_of",
    "enum": "allowed",
    "notEnum": "refused",
    "elemEnum": "elements",
    "min": "minimum",
    "max": "maximum",
    "minExclusive": "above_minimum",
    "ranges": "ranges",
    "minLength": "shortest",
    "maxLength": "longest",
    "suffix": "suffix",
    "keyPattern": "keys",
    "format": "format",
    "emptyOk": "empty",
    "minItems": "fewest",
    "maxItems": "most",
}


def main(arguments: list[str] | None = None) -> int:
    """Take over a file of facts, or check what was taken over; 1 when that is out of date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", type=Path, help="facts by type, as JSON")
    what.add_argument("--check", action="store_true", help="say whether they are of the SDK in use")
    given = parser.parse_args(arguments)
    if given.check:
        return _check()
    _take_over(json.loads(given.file.read_text(encoding="utf-8")))
    return 0


def known_types() -> list[str]:
    """Return the types that components make or that a row tells of."""
    types = {
        f"{token.split(':')[1].split('/')[0]}.{token.split(':')[2]}": token
        for token in tokens("gcp")
    }
    sources = [*(_ROOT / "components").rglob("*.py"), *(_ROOT / "stacks").rglob("*.py")]
    used = {
        each for source in sources for each in _USES.findall(source.read_text(encoding="utf-8"))
    }
    rows = {
        f"{module}.{name}{suffix}"
        for module, service in services().items()
        for name in service.types
        for suffix in (("Member", "Binding") if name.lower().endswith("iam") else ("",))
    }
    return sorted(types[each] for each in (used | rows) & types.keys())


def _take_over(given: Mapping[str, Any]) -> None:
    modules: dict[str, dict[str, Any]] = {}
    known = _taken_over()
    for token in sorted({*known_types(), *known}):
        kind = resource_type(token)
        row = _row(given[token], kind) if token in given and kind is not None else known.get(token)
        if row is not None:
            module, name = token.split(":")[1].partition("/")[0], token.split(":")[2]
            modules.setdefault(module, {})[name] = row
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for module, rows in modules.items():
        lines = [f"{json.dumps(name)}:{_compact(row)}" for name, row in rows.items()]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (FOLDER / f"{module}.json").write_text(text, encoding="utf-8")
    versions = {
        "pulumi-gcp": metadata.version("pulumi-gcp"),
        "provider": "as published on 2026-08-21",
    }
    VERSIONS.write_text(json.dumps(versions) + "\n", encoding="utf-8")


def _taken_over() -> dict[str, Any]:
    """Return what was written before, by type."""
    rows: dict[str, Any] = {}
    for file in FOLDER.glob("*.json"):
        if file != VERSIONS:
            module = file.stem
            for name, row in json.loads(file.read_text(encoding="utf-8")).items():
                rows[f"gcp:{module}/{name[0].lower()}{name[1:]}:{name}"] = row
    return rows


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _row(given: Mapping[str, Any], kind: ResourceType) -> dict[str, Any]:
    inputs = {
        path: (prop, text)
        for path, prop, text in _inputs("", kind.inputs, kind.input_documentation)
    }
    properties: dict[str, Any] = {}
    for path, said in given["props"].items():
        root = path.partition(".")[0].removesuffix(ELEMENT)
        if root not in kind.inputs or said.get("notInSdk"):
            continue
        prop, text = inputs.get(path, (None, ""))
        columns = _columns(said, _values(text))
        if prop is not None and prop.required:
            columns.pop("required", None)
        if columns:
            properties[path] = columns
    flags = {"never_updated": "noUpdate", "delete_first": "deleteBeforeReplace"}
    return {
        "properties": properties,
        **{ours: True for ours, its in flags.items() if given.get(its)},
    }


def _columns(said: Mapping[str, Any], documented: tuple[str, ...]) -> dict[str, Any]:
    columns = {ours: said[its] for its, ours in _RENAMED.items() if its in said}
    if "enumIgnoreCase" in said:
        columns |= {"allowed": said["enumIgnoreCase"], "ignore_case": True}
    if allowed := columns.get("allowed"):
        more = documented if set(documented) & set(allowed) else ()
        columns["allowed"] = list(dict.fromkeys([*allowed, *more]))
    for its, ours in (("pattern", "patterns"), ("notPattern", "refused_patterns")):
        if its in said:
            columns[ours] = said[its] if isinstance(said[its], list) else [said[its]]
    if "minBits" in said:
        columns["bits"] = [said["minBits"], said["maxBits"]]
    if said.get("mode") == "required" and "autoName" not in said:
        columns["required"] = True
    if said.get("mode") in {"computed", "optionalComputed"}:
        columns["computed"] = True
    # Of optional lists the schema's least counts from the first element on, as it says itself:
    # https://github.com/hashicorp/terraform-plugin-sdk/blob/main/helper/schema/schema.go
    if "minItems" in said and said.get("mode") != "required":
        columns["empty"] = True
    if said.get("forceNew"):
        is_object = "object" in (said["type"], said.get("elem"))
        columns["replaces"] = WHOLE if is_object else True
    if said["type"] == "set":
        columns["unordered"] = True
    return columns


def _inputs(
    prefix: str, properties: Mapping[str, Property], texts: Mapping[str, str]
) -> Iterator[tuple[str, Property, str]]:
    """Yield every property by its path, with its documentation."""
    for name, prop in properties.items():
        path, shape = f"{prefix}{name}", prop.shape
        yield path, prop, texts.get(name, "")
        while isinstance(shape, ListOf):
            path, shape = f"{path}{ELEMENT}", shape.item
        if isinstance(shape, ObjectOf):
            yield from _inputs(f"{path}.", shape.properties, documentation(shape.cls))


def _values(text: str) -> tuple[str, ...]:
    """Return the values that a property's documentation lists."""
    found = _VALUES.search(text)
    sentence = re.split(r"\.\s|\n\n", text[found.end() :])[0] if found else ""
    return tuple(_QUOTED.findall(sentence))


def _check() -> int:
    taken = json.loads(VERSIONS.read_text(encoding="utf-8"))["pulumi-gcp"]
    kinds = known_types()
    known = [facts for token in kinds if (facts := facts_of(token)) is not None]
    properties = sum(len(facts.by_path) for facts in known)
    rows = [row for service in services().values() for row in service.types.values()]
    cells = sum(
        value != getattr(type(row)(), key) for row in rows for key, value in vars(row).items()
    )
    print(
        f"What the sandbox knows of {len(kinds)} Google Cloud types: {len(known)} by the "
        f"provider's schemas ({properties} properties), {len(kinds) - len(known)} by the SDK's "
        f"documentation alone; {cells} cells of {len(rows)} rows from memory"
    )
    installed = metadata.version("pulumi-gcp")
    if taken == installed:
        return 0
    print(
        f"{VERSIONS.relative_to(_ROOT)}: taken over for pulumi-gcp {taken}, installed is "
        f"{installed}: run `python -m sandbox.gcp.facts_import FILE` with facts of today",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
