"""Puts actionlint, the linter of GitHub's workflows, into `.engine/actionlint/`.

    python3 tools/actionlint.py [--if-possible]

It is built from the Go module that tools/go/actionlint pins. `--if-possible` says what is missing
and succeeds.
"""

import sys

import optional
from artifacts import build, intact, module_version, stamp
from versions import ROOT

FOLDER = ROOT / ".engine" / "actionlint"
MODULE = ROOT / "tools" / "go" / "actionlint"
NAME = "github.com/rhysd/actionlint"


def ensure_actionlint() -> None:
    """Make `.engine/actionlint/actionlint` the version that the go.mod pins.

    Raises SetupProblemError if the build fails.
    """
    version = module_version(MODULE, NAME)
    program, stamped = FOLDER / "actionlint", FOLDER / "actionlint.json"
    if not intact(stamped, program, version):
        stamped.unlink(missing_ok=True)
        build(MODULE, f"{NAME}/cmd/actionlint", program, "", "about 30 seconds")
        stamp(stamped, program, version, found=version)


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__,
        "actionlint",
        "actionlint's look at the workflows",
        (optional.require_go, ensure_actionlint),
    )


if __name__ == "__main__":
    sys.exit(main())
