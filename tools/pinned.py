"""Programs in virtual environments of their own: their packages don't go with the project's."""

import shutil
import sys

from problem import SetupProblemError
from progress import run
from setup import VENV
from versions import ROOT


def ensure_environment(name: str, about: str) -> None:
    """Make `.engine/<name>` a virtual environment with what `tools/pip/<name>` pins.

    Raises SetupProblemError without uv, which `make setup` installs, or if a package can't be had.
    """
    folder = ROOT / ".engine" / name
    pinned = ROOT / "tools" / "pip" / name / "requirements.txt"
    installed = folder / pinned.name
    if installed.exists() and installed.read_bytes() == pinned.read_bytes():
        return
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        raise SetupProblemError("no uv in the virtual environment: run `make setup` first")
    shutil.rmtree(folder, ignore_errors=True)
    run([uv, "venv", "-q", "--python", sys.executable, folder], f"making {name}'s environment")
    run(
        [
            *(uv, "pip", "install", "-q", "--require-hashes", "--no-deps"),
            *("--python", folder / "bin" / "python", "-r", pinned),
        ],
        f"installing {name}",
        about=about,
    )
    shutil.copy(pinned, installed)
