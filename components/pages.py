"""Writes a page for each component: what it is, an example, its arguments and its outputs.

    python -m components.pages          write the pages into docs/components/
    python -m components.pages --check  tell which are not as the code says

All but the example, a page's first block of Python, is made from the code.
"""

import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from pulumi.provider.experimental.analyzer import AnalyzeResult, PropertyDefinition, PropertyType

from catalog.needs import Need, needs_of
from catalog.pages import cell, kept
from components import COMPONENTS, load
from components.analyzer import Analyzer

FOLDER = Path(__file__).parents[1] / "docs" / "components"
INDEX = "README.md"
PACKAGE = "inference"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOTE = "<!-- All but the example is written by `python -m components.pages`. -->"


def example(page: str) -> str:
    """Return the example of a page. Raises ValueError if there is none."""
    found = EXAMPLE.search(page)
    if found is None:
        raise ValueError("has no example: add a block of Python that makes the component")
    return found[1]


@cache
def package() -> AnalyzeResult:
    """Return what the components take and give, by their code."""
    return Analyzer(PACKAGE).analyze([load(name) for name in COMPONENTS])


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page and the text it has to have. Raises ValueError for one without example."""
    rows = ["# Components", "", _NOTE, "", "| component | what |", "|---|---|"]
    for name in sorted(COMPONENTS):
        file = FOLDER / f"{name}.md"
        try:
            given = example(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError) as problem:
            raise ValueError(f"{file}: {problem}") from problem
        yield file, "\n".join(_page(name, given, package())) + "\n"
        summary = inspect.cleandoc(load(name).__doc__ or "").partition("\n\n")[0]
        rows.append(f"| [{name}]({name}.md) | {cell(summary)} |")
    yield FOLDER / INDEX, "\n".join(rows) + "\n"


def _page(name: str, given: str, package: AnalyzeResult) -> Iterator[str]:
    definition = package["component_definitions"][name]
    yield from (f"# {name}", "", _NOTE, "", inspect.cleandoc(definition.description or ""), "")
    yield from (f"```python\n{given}```", "", "## Arguments", "")
    yield from _arguments(definition.inputs, definition.inputs_mapping)
    yield from ("", "## Outputs", "", "| name | type | what |", "|---|---|---|")
    for key, output in definition.outputs.items():
        python = definition.outputs_mapping[key]
        yield f"| `{python}` | {_type(output)} | {cell(output.description or '')} |"
    needed = needs_of(name)
    if needed:
        yield from ("", "## Needs", "", "| identity | permissions | on |", "|---|---|---|")
        yield from (_need(each) for each in needed)
    kinds = _kinds({**definition.outputs, **definition.inputs}, package, {})
    if kinds:
        yield from ("", "## Types")
    for kind in kinds:
        found = package["type_definitions"][kind]
        yield from ("", f"### {kind}", "", inspect.cleandoc(found.description or ""), "")
        if found.enum:
            yield from (f"- `{each.value}`" for each in found.enum)
        elif found.module.startswith(f"{__package__}."):
            yield from _arguments(found.properties, found.properties_mapping)
        else:
            yield f"Of `{found.module.partition('.')[0]}`."


def _need(need: Need) -> str:
    identity, _, prop = need.who.partition(":")
    of = f"`{need.of.rpartition(':')[2]}`"
    who = f"the account of {of}, `{prop}`" if prop else f"the {identity} of {of}"
    permissions = ", ".join(f"`{each}`" for each in need.may)
    return f"| {who} | {permissions} | {need.on} |"


def _arguments(
    properties: Mapping[str, PropertyDefinition], names: Mapping[str, str]
) -> Iterator[str]:
    yield from ("| name | type | required | what |", "|---|---|---|---|")
    for key, each in properties.items():
        kind = _type(each) if each.plain else f"{_type(each)}, or an output"
        required = "" if each.optional else "yes"
        yield f"| `{names[key]}` | {kind} | {required} | {cell(each.description or '')} |"


def _kinds(
    properties: Mapping[str, PropertyDefinition], package: AnalyzeResult, seen: dict[str, None]
) -> Mapping[str, None]:
    """Collect the package's types that properties have, in the order they are met."""
    for each in properties.values():
        inner = each
        while inner.items or inner.additional_properties:
            inner = inner.items or inner.additional_properties or inner
        kind = _kind(inner)
        if kind and kind not in seen:
            seen[kind] = None
            _kinds(package["type_definitions"][kind].properties, package, seen)
    return seen


def _kind(definition: PropertyDefinition) -> str:
    """Return the name of a type of the package, or nothing."""
    prefix = f"#/types/{PACKAGE}:index:"
    ref = definition.ref or ""
    return ref.removeprefix(prefix) if ref.startswith(prefix) else ""


def _type(definition: PropertyDefinition) -> str:
    if definition.items:
        return f"list of {_type(definition.items)}"
    if definition.additional_properties:
        return f"map of {_type(definition.additional_properties)}"
    if kind := _kind(definition):
        return f"[{kind}](#{kind.lower()})"
    if definition.ref:
        return definition.ref.rpartition("/")[2].partition(":")[2] or "anything"
    return (definition.type or PropertyType.OBJECT).value


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the pages; return the exit code."""
    return kept(
        "components.pages", lambda: dict(pages()), argv, stray=lambda: [*FOLDER.glob("*.md")]
    )


if __name__ == "__main__":
    sys.exit(main())
