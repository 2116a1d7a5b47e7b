"""What a scaffold makes is whole: it passes lint and its own tests, and waits to be changed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

COPIED = (
    *(".yamllint", "pyproject.toml", "requirements.txt"),
    *("catalog", "components", "cost", "docs/components", "docs/reference/rules.md"),
    *("policies", "request_path"),
    *("resources", "sandbox", "tests/policies", "tests/unit", "tools"),
)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files that components and rules stand among."""
    folder = tmp_path_factory.mktemp("clone")
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "go")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _must(folder: Path, *arguments: str) -> str:
    run = _run(folder, *arguments)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_a_new_component_passes_lint_and_every_test_of_components(clone: Path):
    made = _must(clone, "tools/scaffold.py", "component", "PrivateZone", "--folder", "network")
    files = [line for line in made.splitlines() if (clone / line).is_file()]
    assert files == [
        "components/network/private_zone.py",
        "docs/components/PrivateZone.md",
        "tests/unit/test_private_zone.py",
        "components/__init__.py",
    ]
    _must(clone, "-m", "ruff", "check", *files)
    _must(clone, "-m", "ruff", "format", "--check", *files)
    tests = ("test_private_zone.py", "test_components.py", "test_component_pages.py")
    ran = _must(
        clone,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k"),
        "private_zone or PrivateZone or listed or as_the_code_says",
        *(f"tests/unit/{name}" for name in tests),
    )
    assert "failed" not in ran
    assert "PrivateZone" in (clone / "docs/components/README.md").read_text()
    again = _run(clone, "tools/scaffold.py", "component", "PrivateZone", "--folder", "network")
    assert again.returncode == 1
    assert "is there already: choose another name" in again.stderr


@pytest.mark.parametrize(
    ("name", "folder", "told"),
    [
        ("privateZone", "network", "NAME: found 'privateZone', allowed: the name of a class"),
        ("", "network", "NAME: found '', allowed: the name of a class, such as PrivateZone"),
        ("PrivateZone", "nets", "FOLDER: found 'nets', allowed: api_management, cluster, data"),
    ],
)
def test_what_can_be_no_component_is_told_and_nothing_made(name: str, folder: str, told: str):
    run = _run(ROOT, "tools/scaffold.py", "component", name, "--folder", folder)
    assert run.returncode == 1
    assert run.stderr.startswith(told)
    assert "Traceback" not in run.stderr


def test_a_new_rule_passes_lint_and_the_tests_of_rules(clone: Path):
    made = _must(clone, "tools/scaffold.py", "rule", "net-no-peering", "--pack", "baseline")
    files = [line for line in made.splitlines() if (clone / line).is_file()]
    assert files == [
        "policies/rules/baseline/net_no_peering.py",
        "tests/policies/examples/net-no-peering.yaml",
    ]
    _must(clone, "-m", "ruff", "check", files[0])
    _must(clone, "-m", "ruff", "format", "--check", files[0])
    _must(clone, "-m", "yamllint", "--strict", files[1])
    _must(
        clone,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k"),
        "net-no-peering or kind or tables or named_like",
        *(f"tests/policies/test_{name}.py" for name in ("examples", "packs")),
    )
    for page in ("policies/baseline/README.md", "policies/schema.json", "docs/reference/rules.md"):
        assert "net-no-peering" in (clone / page).read_text()
