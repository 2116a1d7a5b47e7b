"""The plain pulumi's language host is built once, from modules that Go has to fetch first."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

# As Go on an empty module cache: the module is there only after it was downloaded.
GO = """#!/bin/sh
sdk="{home}/modules/sdk"
case "$1" in
  env) echo go1.26.0 ;;
  mod)
    [ -e "{home}/unreachable" ] && {{ echo '{{"Error": "no route to the module proxy"}}'; exit 1; }}
    mkdir -p "$sdk/python/cmd"
    echo script > "$sdk/python/cmd/pulumi-language-python-exec"
    echo "{{\\"Dir\\": \\"$sdk\\"}}"
    ;;
  build)
    while [ "$1" != -o ]; do shift; done
    echo host > "$2"
    echo built >> "{home}/builds"
    ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Make a clone in its own folder, on a machine with nothing but Go and a shell."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copyfile(ROOT / "requirements.txt", tmp_path / "requirements.txt")
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "mkdir").symlink_to(shutil.which("mkdir") or "/bin/mkdir")
    (commands / "go").write_text(GO.format(home=tmp_path))
    (commands / "go").chmod(0o755)
    return tmp_path


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/language_host.py"],
        cwd=machine,
        env={
            "PATH": str(machine / "bin"),
            "HOME": str(machine),
            "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_module_cache_is_filled_first(machine: Path) -> None:
    result = set_up(machine)
    assert result.returncode == 0, result.stderr
    folder = machine / ".engine" / "language-host"
    assert (folder / "pulumi-language-python").read_text() == "host\n"
    assert (folder / "pulumi-language-python-exec").read_text() == "script\n"
    assert os.access(folder / "pulumi-language-python-exec", os.X_OK)


def test_it_is_built_once(machine: Path) -> None:
    set_up(machine)
    assert set_up(machine).stderr == ""
    assert (machine / "builds").read_text() == "built\n"


def test_a_module_that_can_not_be_had_is_told_and_nothing_is_built(machine: Path) -> None:
    (machine / "unreachable").touch()
    result = set_up(machine)
    assert result.returncode == 1
    assert "no route to the module proxy" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (machine / "builds").exists()


def test_an_engine_that_brings_its_own_needs_none(machine: Path) -> None:
    folder = machine / ".engine" / "bin"
    folder.mkdir(parents=True)
    for name in ("pulumi", "pulumi-language-python"):
        (folder / name).touch()
    assert set_up(machine).returncode == 0
    assert not (machine / "builds").exists()
