"""apigeelint is installed once, and a machine without Node.js is told what to do."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

NPM = '#!/bin/sh\necho installed >> "{home}/installs"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    return tmp_path


def set_up(machine: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(machine / "bin"),
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
    }
    return subprocess.run(
        [sys.executable, "tools/apigeelint.py", *flags],
        cwd=machine,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_node_is_told_to_install_it(machine: Path) -> None:
    result = set_up(machine)
    assert result.returncode == 1
    assert "no `npm` on PATH: install Node.js 20 or later" in result.stderr


def test_where_it_is_optional_the_skip_is_loud_and_no_failure(machine: Path) -> None:
    result = set_up(machine, "--if-possible")
    assert result.returncode == 0
    assert "SKIPPING the tests of Apigee's proxies with apigeelint" in result.stderr


def test_it_is_installed_once_and_again_when_the_version_changes(machine: Path) -> None:
    npm = machine / "bin" / "npm"
    npm.write_text(NPM.format(home=machine))
    npm.chmod(0o755)
    pinned = machine / "tools" / "npm" / "apigeelint" / "package.json"
    for _ in range(2):
        assert set_up(machine).returncode == 0
    pinned.write_text(pinned.read_text().replace("2.", "3."))
    assert set_up(machine).returncode == 0
    assert (machine / "installs").read_text() == "installed\n" * 2
