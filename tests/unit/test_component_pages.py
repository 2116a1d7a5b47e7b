"""Each component has a page whose example makes it, alone, of arguments that it takes."""

from typing import Any

import pytest
from pulumi.provider.experimental.analyzer import AnalyzeResult, PropertyDefinition, PropertyType

import components
from components import pages
from tests.unit import examples
from tests.unit.harness import Deploy
from tests.unit.test_components import ANSWERS

PLAIN: dict[PropertyType | None, tuple[type, ...]] = {
    PropertyType.STRING: (str,),
    PropertyType.INTEGER: (int,),
    PropertyType.NUMBER: (int, float),
    PropertyType.BOOLEAN: (bool,),
}


@pytest.mark.parametrize("name", components.COMPONENTS)
def test_the_example_makes_the_component_and_what_it_owns(deploy: Deploy, name: str):
    program = compile(examples.source(name), f"{name}.md", "exec")
    cloud = deploy(lambda: exec(program, {}), answers=ANSWERS)  # noqa: S102 - our own page
    assert cloud.children(cloud.one(f"inference:index:{name}"))


def _misfits(
    package: AnalyzeResult, definition: PropertyDefinition, value: Any, path: str
) -> list[str]:
    """Return what a value has that its type does not, or lacks."""
    kind = (definition.ref or "").removeprefix(f"#/types/{pages.PACKAGE}:index:")
    if value is None:
        return [] if definition.optional else [f"{path}: nothing"]
    if definition.items:
        return [
            found
            for index, item in enumerate(value)
            for found in _misfits(package, definition.items, item, f"{path}[{index}]")
        ]
    if definition.additional_properties:
        return [
            found
            for key, item in value.items()
            for found in _misfits(package, definition.additional_properties, item, f"{path}.{key}")
        ]
    if kind in package["type_definitions"]:
        shape = package["type_definitions"][kind]
        return _misfits_of_all(package, shape.properties, shape.properties_mapping, value, path)
    fits = definition.ref is not None or isinstance(value, PLAIN[definition.type])
    return [] if fits else [f"{path}: {value!r}"]


def _misfits_of_all(
    package: AnalyzeResult,
    properties: dict[str, PropertyDefinition],
    names: dict[str, str],
    values: dict[str, Any],
    path: str,
) -> list[str]:
    known = {names[key]: each for key, each in properties.items()}
    needed = {name for name, each in known.items() if not each.optional}
    return [
        *(f"{path}.{name}: unknown" for name in sorted(set(values) - set(known))),
        *(f"{path}.{name}: missing" for name in sorted(needed - set(values))),
        *(
            found
            for name in sorted(set(values) & set(known))
            for found in _misfits(package, known[name], values[name], f"{path}.{name}")
        ),
    ]


@pytest.mark.parametrize("name", components.COMPONENTS)
def test_the_example_has_the_arguments_of_the_type(name: str):
    package = pages.package()
    definition = package["component_definitions"][name]
    given = examples.arguments(name)
    assert not _misfits_of_all(package, definition.inputs, definition.inputs_mapping, given, name)


def test_a_wrong_example_would_be_told():
    package = pages.package()
    definition = package["component_definitions"]["GpuNodePool"]
    given = {**examples.arguments("GpuNodePool"), "nodes": 1, "min_nodes": "1"}
    del given["project"]
    assert _misfits_of_all(package, definition.inputs, definition.inputs_mapping, given, "x") == [
        "x.nodes: unknown",
        "x.project: missing",
        "x.min_nodes: '1'",
    ]


def test_a_page_without_example_is_refused():
    with pytest.raises(ValueError, match="has no example"):
        pages.example("# A component\n")


def test_the_pages_are_as_the_code_says(capsys: pytest.CaptureFixture[str]):
    assert pages.main(["--check"]) == 0, capsys.readouterr().out


def test_a_page_that_is_not_is_told_and_mended(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for page in pages.FOLDER.glob("*.md"):
        (tmp_path / page.name).write_text(page.read_text())
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    changed, gone = tmp_path / "Vpc.md", tmp_path / "NoComponent.md"
    changed.write_text(changed.read_text().replace("## Outputs", "## Results"))
    gone.write_text("# NoComponent\n")
    assert pages.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert str(changed) in told
    assert str(gone) in told
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    assert not gone.exists()
