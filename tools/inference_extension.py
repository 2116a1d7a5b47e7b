"""Puts the endpoint picker and the body-based router into `.engine/inference-extension/`.

    python3 tools/inference_extension.py [--if-possible]

They are built from the Go module that a cluster's definitions come from. `--if-possible` says what
is missing and succeeds.
"""

import sys
from pathlib import Path

import optional
from artifacts import build, intact, module_version, stamp
from versions import ROOT

FOLDER = ROOT / ".engine" / "inference-extension"
MODULE = ROOT / "tools" / "go" / "inference-extension"
EXTENSION = "sigs.k8s.io/gateway-api-inference-extension"
PROGRAMS = {"epp": "about 3 minutes", "bbr": "about 10 seconds"}


def ensure_programs(module: Path = MODULE, folder: Path = FOLDER) -> None:
    """Make each program in the folder the version that the module's go.mod pins.

    Raises SetupProblemError if the build fails.
    """
    version = module_version(module, EXTENSION)
    for name, about in PROGRAMS.items():
        program, stamped = folder / name, folder / f"{name}.json"
        if intact(stamped, program, version):
            continue
        stamped.unlink(missing_ok=True)
        build(module, f"{EXTENSION}/cmd/{name}", program, "", about)
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
