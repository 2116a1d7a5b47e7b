"""A fresh machine gets an engine by one of three ways, a broken one is fixed, else it is told."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

CALL = (
    "import sys; sys.path.insert(0, 'tools')\n"
    "from engine import ensure_engine\n"
    "from problem import SetupProblemError\n"
    "try: ensure_engine()\n"
    "except SetupProblemError as problem: sys.exit(str(problem))\n"
)
# Nothing listens on the discard port: the same as a machine that reaches no release.
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a clone in its own folder, on a machine with nothing on PATH but `bin/`."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copyfile(ROOT / "requirements.txt", tmp_path / "requirements.txt")
    (tmp_path / "bin").mkdir()
    return tmp_path


def put_pulumi(machine: Path, version: str) -> Path:
    command = machine / "bin" / "pulumi"
    command.write_text(f"#!/bin/sh\necho v{version}\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return command


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(machine / "bin"),
        "HOME": str(machine),
        "HTTPS_PROXY": UNREACHABLE,
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
    }
    return subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=machine,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def pinned_engine() -> str:
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line.startswith("pulumi=="):
            return line.split("==")[1].split()[0]
    pytest.fail("requirements.txt does not pin pulumi")


def test_a_compatible_pulumi_on_path_is_used(machine: Path) -> None:
    command = put_pulumi(machine, pinned_engine())
    assert set_up(machine).returncode == 0
    assert (machine / ".engine" / "bin" / "pulumi").resolve() == command


def test_a_machine_without_any_way_is_told_what_to_install(machine: Path) -> None:
    result = set_up(machine)
    assert result.returncode == 1
    assert f"install Pulumi {pinned_engine()} or a later 3.x" in result.stderr
    assert "install Go 1.21 or later" in result.stderr
    assert "let this machine reach get.pulumi.com" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_too_old_pulumi_on_path_is_refused_with_both_versions(machine: Path) -> None:
    put_pulumi(machine, "3.100.0")
    result = set_up(machine)
    assert result.returncode == 1
    assert f"is 3.100.0: needs {pinned_engine()} or later 3.x" in result.stderr


def test_a_set_up_engine_is_left_alone(machine: Path) -> None:
    put_pulumi(machine, pinned_engine())
    set_up(machine)
    assert set_up(machine).stderr == ""


def test_a_half_written_engine_is_noticed_and_repaired(machine: Path) -> None:
    put_pulumi(machine, pinned_engine())
    set_up(machine)
    engine = machine / ".engine" / "bin" / "pulumi"
    engine.unlink()
    engine.write_bytes(b"\x7fELF")
    result = set_up(machine)
    assert result.returncode == 0
    assert "incomplete or of another version" in result.stderr
    assert engine.resolve() == machine / "bin" / "pulumi"


def test_an_interrupted_set_up_without_a_stamp_is_done_again(machine: Path) -> None:
    put_pulumi(machine, pinned_engine())
    set_up(machine)
    (machine / ".engine" / "engine.json").unlink()
    assert "installing it again" in set_up(machine).stderr
    assert (machine / ".engine" / "engine.json").exists()


def test_the_engine_that_go_builds_is_the_version_of_the_package() -> None:
    module = (ROOT / "tools" / "go" / "engine" / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pinned_engine()}" in module


def test_an_outdated_environment_that_cannot_be_removed_is_told(machine: Path) -> None:
    elsewhere = machine / "elsewhere"
    (elsewhere / "bin").mkdir(parents=True)
    (machine / ".venv").symlink_to(elsewhere)
    result = subprocess.run(
        [sys.executable, "tools/setup.py"],
        cwd=machine,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.endswith("remove it by hand, and run this again\n")
    assert "Traceback" not in result.stderr
