"""Nothing flows back: each folder imports from those before it alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PULUMI = {"pulumi", "pulumi_gcp", "pulumi_kubernetes"}
OURS = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()}
MAY_USE = {
    "catalog": set[str](),
    "config": {"catalog"},
    "components": {"catalog", *PULUMI},
    "stacks": {"catalog", "components", "config", *PULUMI},
    "services": set[str](),
    "resources": {"catalog"},
    "cost": {"catalog", "resources"},
    "request_path": {"catalog", "resources"},
    "policies": {"catalog", "cost", "request_path", "resources", "pulumi"},
    "sandbox": {"pulumi_gcp", "pulumi_kubernetes", "pulumi"},
}


def _modules(file: Path) -> Iterator[str]:
    """Each module a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _imports(file: Path) -> Iterator[str]:
    """The first part of each module a file imports."""
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
