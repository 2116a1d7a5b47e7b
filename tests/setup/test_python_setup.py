"""The Python packages come by uv, or by pip where it fails; long steps say how far they are."""

import ast
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

# What set-up starts, noted instead of done; pip and uv are files that answer as told.
INSTALL = """
import sys
sys.path.insert(0, "tools")
import setup
from problem import SetupProblemError
from pathlib import Path

def run(command, what, **_):
    if {refused!r} in what:
        raise SetupProblemError(what + " failed: no route to the packages")
    print(what, "--require-hashes" in command)
    if what == "installing uv":
        print(Path(command[-1]).read_text())

setup.run = run
setup._install_packages(Path("python"))
"""
BASE = """
import sys
sys.path.insert(0, "tools")
import setup
from pathlib import Path

setup.SYSTEM = Path({system!r})
print(setup.base_python())
"""
RUN = "import sys; sys.path.insert(0, 'tools'); import progress; progress.{seconds} = 0.05; {call}"
SLEEP = "progress.run(['sleep', '0.4'], 'building', about='about 1 minute')"


def install(refused: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", INSTALL.format(refused=refused)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_uv_itself_is_installed_with_its_hashes_and_then_installs_the_rest() -> None:
    done = install(refused="nothing")
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == ("installing uv True", "installing the Python packages with uv True")
    pinned = next(
        line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[:4] == "uv=="
    )
    assert pinned in done.stdout
    assert "--hash=sha256:" in done.stdout
    assert "==" not in done.stdout.replace(pinned, "")


@pytest.mark.parametrize("refused", ["installing uv", "with uv"])
def test_pip_takes_over_from_a_uv_that_can_not_be_had_or_fails_and_it_is_said(refused: str) -> None:
    done = install(refused)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "installing the Python packages with pip True"
    assert "no route to the packages" in done.stderr
    assert "taking pip instead" in done.stderr


def test_where_both_fail_set_up_ends_with_why() -> None:
    done = install(refused="installing")
    assert done.returncode == 1
    assert "installing the Python packages with pip failed" in done.stderr


@pytest.mark.parametrize(("able", "taken"), [("exit 0", True), ("exit 1", False), ("", False)])
def test_the_systems_python_of_this_version_is_taken_where_it_can_make_an_environment(
    able: str, taken: bool, tmp_path: Path
) -> None:
    own = tmp_path / "python{}.{}".format(*sys.version_info)
    if able:
        own.write_text(f"#!/bin/sh\n{able}\n")
        own.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", BASE.format(system=str(tmp_path))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == (own if taken else Path(sys.executable).resolve())


def test_a_log_gets_a_line_each_time(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(seconds="LOG_SECONDS", call=SLEEP)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    first, *beats, last = done.stderr.splitlines()
    assert first == "setup: building (about 1 minute) ..."
    assert beats
    assert all(re.fullmatch(r"setup: building \(about 1 minute\): \d+ s so far", b) for b in beats)
    assert last.startswith("setup: building: done in")
    assert "\r" not in done.stderr


def test_a_terminal_gets_one_line_that_changes() -> None:
    terminal, side = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", RUN.format(seconds="TERMINAL_SECONDS", call=SLEEP)],
        cwd=ROOT,
        stderr=side,
        check=True,
    )
    os.close(side)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert shown.count("\r\033[Ksetup: building (about 1 minute): ") > 1
    assert shown.count("\n") == 2


def test_what_fails_ends_with_the_end_of_its_output() -> None:
    call = "progress.run(['ls', 'no-such-file'], 'listing')"
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(seconds="LOG_SECONDS", call=call)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "SetupProblemError: listing failed (exit code 2):\nls: " in done.stderr


def test_a_python_that_is_too_old_is_told_what_to_do() -> None:
    call = "import setup; setup.MINIMUM_PYTHON = (99, 1); sys.exit(setup.main())"
    line = [sys.executable, "-c", f"import sys; sys.path.insert(0, 'tools'); {call}"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"setup: found Python 3\.\d+\.\d+; allowed: 99\.1 or.*\n", done.stderr)


def test_old_pythons_come_as_far_as_to_be_told() -> None:
    modules, seen = ["setup"], set[str]()
    while modules:
        name = modules.pop()
        file = ROOT / "tools" / f"{name}.py"
        if name in seen or not file.exists():
            continue
        seen.add(name)
        tree = ast.parse(file.read_text(), feature_version=(3, 7))
        imported = [each for each in tree.body if isinstance(each, ast.ImportFrom)]
        modules += [str(each.module) for each in imported]
        if "|" in file.read_text():
            assert "__future__" in {each.module for each in imported}, name
    assert {"setup", "engine", "progress"} <= seen
