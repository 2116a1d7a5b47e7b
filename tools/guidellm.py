"""Puts guidellm, a load generator for language models, into `.engine/guidellm/`.

    python3 tools/guidellm.py [--if-possible]

Its packages are pinned in tools/pip/guidellm/. `--if-possible` says what is missing and succeeds.
"""

import shutil
import sys

import optional
from problem import SetupProblemError
from progress import run
from setup import VENV
from versions import ROOT

FOLDER = ROOT / ".engine" / "guidellm"
PINNED = ROOT / "tools" / "pip" / "guidellm" / "requirements.txt"


def ensure_guidellm() -> None:
    """Make `.engine/guidellm` a virtual environment with what is pinned.

    Raises SetupProblemError without uv, which `make setup` installs, or if a package can't be had.
    """
    installed = FOLDER / PINNED.name
    if installed.exists() and installed.read_bytes() == PINNED.read_bytes():
        return
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        raise SetupProblemError("no uv in the virtual environment: run `make setup` first")
    shutil.rmtree(FOLDER, ignore_errors=True)
    run([uv, "venv", "-q", "--python", sys.executable, FOLDER], "making guidellm's environment")
    run(
        [
            *(uv, "pip", "install", "-q", "--require-hashes"),
            *("--python", FOLDER / "bin" / "python", "-r", PINNED),
        ],
        "installing guidellm",
        about="about a minute, 430 MiB",
    )
    shutil.copy(PINNED, installed)


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(__doc__, "guidellm", "the tests of load with guidellm", (ensure_guidellm,))


if __name__ == "__main__":
    sys.exit(main())
