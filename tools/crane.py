"""Puts crane, which asks image registries, into `.engine/crane/`.

    python3 tools/crane.py [--if-possible]

One on PATH is taken as it is; otherwise it is built from the Go module that tools/go/crane pins.
`--if-possible` says what is missing and succeeds.
"""

import shutil
import sys

import optional
from artifacts import build, intact, module_version, stamp
from versions import ROOT

FOLDER = ROOT / ".engine" / "crane"
MODULE = ROOT / "tools" / "go" / "crane"
NAME = "github.com/google/go-containerregistry"


def ensure_crane() -> None:
    """Make `.engine/crane/crane` the version that the go.mod pins, where none is on PATH.

    Raises SetupProblemError if the build fails.
    """
    if shutil.which("crane"):
        return
    optional.require_go()
    version = module_version(MODULE, NAME)
    program, stamped = FOLDER / "crane", FOLDER / "crane.json"
    if not intact(stamped, program, version):
        stamped.unlink(missing_ok=True)
        build(MODULE, f"{NAME}/cmd/crane", program, "", "about 30 seconds")
        stamp(stamped, program, version, found=version)


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(__doc__, "crane", "the tests of locked images", (ensure_crane,))


if __name__ == "__main__":
    sys.exit(main())
