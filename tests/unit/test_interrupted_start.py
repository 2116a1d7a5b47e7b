"""Ctrl-C while a command of the launcher still loads its libraries."""

import subprocess
import sys

from launcher.paths import ROOT


def test_it_ends_with_a_line() -> None:
    loading = "import launcher; raise KeyboardInterrupt"
    done = subprocess.run(
        [sys.executable, "-c", loading], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == "interrupted\n"
    assert done.returncode


def test_a_defect_keeps_its_trace() -> None:
    defect = "import launcher; raise LookupError('lost')"
    done = subprocess.run(
        [sys.executable, "-c", defect], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "Traceback" in done.stderr
    assert "LookupError: lost" in done.stderr
