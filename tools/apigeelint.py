"""Puts apigeelint, the linter of Apigee's proxies, into `.engine/apigeelint/`.

    python3 tools/apigeelint.py [--if-possible]

Its version stands in tools/npm/apigeelint/package.json. `--if-possible` says what is missing and
succeeds.
"""

import shutil
import sys

import optional
from problem import SetupProblemError
from progress import run
from versions import ROOT

FOLDER = ROOT / ".engine" / "apigeelint"
PINNED = ROOT / "tools" / "npm" / "apigeelint" / "package.json"
# No package's own script runs, and nothing is asked about it.
FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")


def ensure_apigeelint() -> None:
    """Make `.engine/apigeelint` hold the version that is pinned.

    Raises SetupProblemError without Node.js, or if a package can't be had.
    """
    installed = FOLDER / PINNED.name
    if installed.exists() and installed.read_bytes() == PINNED.read_bytes():
        return
    if shutil.which("npm") is None:
        raise SetupProblemError("no `npm` on PATH: install Node.js 20 or later")
    beginning = FOLDER.with_name("apigeelint.new")
    shutil.rmtree(beginning, ignore_errors=True)
    beginning.mkdir(parents=True)
    shutil.copy(PINNED, beginning)
    run(["npm", "install", *FLAGS], "installing apigeelint", about="some seconds", cwd=beginning)
    shutil.rmtree(FOLDER, ignore_errors=True)
    beginning.replace(FOLDER)


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(
        __doc__,
        "apigeelint",
        "the tests of Apigee's proxies with apigeelint",
        (ensure_apigeelint,),
    )


if __name__ == "__main__":
    sys.exit(main())
