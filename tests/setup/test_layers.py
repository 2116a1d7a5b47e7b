"""Nothing flows back: each folder imports from those before it alone."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PULUMI = {"pulumi", "pulumi_gcp", "pulumi_kubernetes"}
OURS = {file.parent.name for file in ROOT.glob("[!.]*/*.py")} - {"tests"}
MAY_USE = {
    "catalog": set[str](),
    "sizing": {"catalog"},
    "config": {"catalog", "sizing"},
    "components": {"catalog", *PULUMI},
    "stacks": {"catalog", "components", "config", *PULUMI},
    "services": set[str](),
    "resources": {"catalog"},
    "cost": {"catalog", "resources"},
    "request_path": {"catalog", "resources"},
    "policies": {"catalog", "cost", "request_path", "resources", "pulumi"},
    "plans": {"catalog", "cost", "policies", "request_path", "resources"},
    "sandbox": {"catalog", *PULUMI},
    "emulator": {"catalog", "resources", "sandbox", "services"},
    "launcher": {
        *("catalog", "config", "cost", "emulator", "plans", "policies", "request_path"),
        *("resources", "sandbox", "sizing", "pulumi"),
    },
    "bench": {
        *("components", "config", "emulator", "launcher", "policies", "resources", "sandbox"),
        *PULUMI,
    },
    "identity": {"catalog", "pulumi", "pulumi_gcp"},
    "tools": set[str](),
}


def _modules(file: Path) -> Iterator[str]:
    """Yield each module a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _part(name: str) -> str:
    """Return the room and the part of it that a module is in."""
    return ".".join(name.split(".")[:2])


def _imports(file: Path) -> Iterator[str]:
    """Yield the first part of each module a file imports."""
    yield from (name.partition(".")[0] for name in _modules(file))


@pytest.mark.parametrize("folder", MAY_USE)
def test_a_folder_uses_those_before_it_alone(folder: str):
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    found = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in _imports(file)
        if name in (OURS | PULUMI) - {folder} and name not in MAY_USE[folder]
    }
    assert found == set()


def test_every_folder_has_its_layer():
    assert set(MAY_USE) == OURS


@pytest.mark.parametrize("folder", MAY_USE)
def test_the_parts_of_a_folder_depend_on_each_other_in_one_direction(folder: str):
    needs: dict[str, set[str]] = {}
    for file in (ROOT / folder).rglob("*.py"):
        own = _part(".".join(file.relative_to(ROOT).with_suffix("").parts))
        found = {_part(name) for name in _modules(file) if name.startswith(f"{folder}.")}
        needs.setdefault(own, set()).update(found - {own})
    TopologicalSorter(needs).prepare()
