"""Puts the endpoint picker and the body-based router into `.engine/inference-extension/`.

    python3 tools/inference_extension.py [--if-possible]

They are built from the Go module that a cluster's definitions come from. `--if-possible` says what
is missing and succeeds.
"""

import sys

import optional
from artifacts import build, intact, module_version, stamp
from versions import ROOT

FOLDER = ROOT / ".engine" / "inference-extension"
MODULE = ROOT / "tools" / "go" / "inference-extension"
EXTENSION = "sigs.k8s.io/gateway-api-inference-extension"
PROGRAMS = {"epp": "about 3 minutes", "bbr": "about 10 seconds"}


def ensure_programs() -> None:
    """Make each program the version that the go.mod pins.

    Raises SetupProblemError if the build fails.
    """
    version = module_version(MODULE, EXTENSION)
    for name, about in PROGRAMS.items():
        program, stamped = FOLDER / name, FOLDER / f"{name}.json"
        if intact(stamped, program, version):
            continue
        stamped.unlink(missing_ok=True)
        build(MODULE, f"{EXTENSION}/cmd/{name}", program, "", about)
        stamp(stamped, program, version, found=version)


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__,
        "endpoint picker and router",
        "the tests with the real endpoint picker and router",
        (optional.require_go, ensure_programs),
    )


if __name__ == "__main__":
    sys.exit(main())
