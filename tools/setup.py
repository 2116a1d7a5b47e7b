"""Make a fresh machine able to run every make target. Standard library only: it runs first.

Each step is skipped when what it makes is there and fits; all steps together take well under a
second then.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from engine import ensure_engine
from problem import SetupProblemError
from progress import run, say
from versions import REQUIREMENTS, ROOT, requirement

MINIMUM_PYTHON = (3, 11)
SYSTEM = Path("/usr/bin")
VENV = ROOT / ".venv"
STAMP = VENV / "requirements.sha256"
ANALYZER = VENV / "bin" / "pulumi-analyzer-policy-python"
# The engine starts Python policy packs through this name, found on PATH; official releases bring
# it, an engine built from modules doesn't.
ANALYZER_TEXT = """#!/bin/sh
exec "$(dirname "$0")/python" -u -m pulumi.policy "$1" "$2"
"""


def base_python() -> Path:
    """Return the Python that `.venv` is made of: this one, or the system's of the same version.

    Version managers compile without profile-guided optimization unless told to, distributions with
    it: importing the platform takes a quarter less there.
    https://docs.python.org/3.11/using/configure.html#performance-options
    """
    major, minor, *_ = sys.version_info
    own = SYSTEM / f"python{major}.{minor}"
    able = [own, "-c", "import ensurepip, sqlite3, ssl"]
    if own.exists() and subprocess.run(able, capture_output=True, check=False).returncode == 0:
        return own
    return Path(sys.executable).resolve()


def ensure_python_environment() -> None:
    """Make `.venv` hold exactly what requirements.txt pins, each download checked by its hash."""
    base = base_python()
    version = f"{base} {sys.version_info[:2]}".encode()
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + version).hexdigest()
    python = VENV / "bin" / "python"
    if python.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    if VENV.exists():
        say("the virtual environment is incomplete or outdated: making it again")
        try:
            shutil.rmtree(VENV)
        except OSError as problem:
            raise SetupProblemError(
                f"{VENV} could not be removed ({problem.strerror or problem}): remove it by hand, "
                "and run this again"
            ) from problem
    try:
        run([base, "-m", "venv", VENV], f"making the virtual environment with {base}")
    except SetupProblemError as problem:
        raise SetupProblemError(
            f"{problem}\nsetup: the virtual environment could not be made: "
            "install Python's venv module (Debian: apt-get install python3-venv)"
        ) from problem
    _install_packages(python)
    STAMP.write_text(wanted)


def _install_packages(python: Path) -> None:
    """Installs by uv, a fraction of pip's time; by pip where uv can't be had or can't install."""
    pip = [python, "-m", "pip", "install", "-q", "--require-hashes"]
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.write(requirement("uv"))
            only_uv.flush()
            run([*pip, "-r", only_uv.name], "installing uv")
        run(
            [
                *(VENV / "bin" / "uv", "pip", "install", "-q", "--require-hashes"),
                *("--python", python, "-r", REQUIREMENTS),
            ],
            "installing the Python packages with uv",
            about="some seconds",
        )
    except SetupProblemError as problem:
        say(f"{problem}\nsetup: taking pip instead")
        run(
            [*pip, "-r", REQUIREMENTS],
            "installing the Python packages with pip",
            about="about 2 minutes",
        )


def ensure_policy_analyzer() -> None:
    """Put the launcher of Python policy packs into the virtual environment."""
    if ANALYZER.exists() and ANALYZER.read_text() == ANALYZER_TEXT:
        return
    ANALYZER.write_text(ANALYZER_TEXT)
    ANALYZER.chmod(0o755)


def main() -> int:
    """Run the steps in order; return the exit code."""
    if sys.version_info < MINIMUM_PYTHON:
        wanted, found = (
            ".".join(map(str, each)) for each in (MINIMUM_PYTHON, sys.version_info[:3])
        )
        print(
            f"setup: found Python {found}; allowed: {wanted} or later: install one, and put it on "
            "PATH as python3",
            file=sys.stderr,
        )
        return 1
    try:
        ensure_python_environment()
        ensure_policy_analyzer()
        ensure_engine()
    except SetupProblemError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"setup: {problem}: fix that, and run this again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
