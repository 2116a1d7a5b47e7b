"""Puts promtool, Prometheus' evaluator of rules, into `.engine/prometheus/`.

    python3 tools/promtool.py [--if-possible]

It is built from the Go module that tools/go/promtool pins. `--if-possible` says what is missing and
succeeds.
"""

import sys

import optional
from artifacts import build, intact, module_version, stamp
from versions import ROOT

FOLDER = ROOT / ".engine" / "prometheus"
MODULE = ROOT / "tools" / "go" / "promtool"
NAME = "github.com/prometheus/prometheus"
WITHOUT_CLOUDS = "remove_all_sd"
"""Leaves out how Prometheus finds what to scrape in twenty clouds."""


def ensure_promtool() -> None:
    """Make `.engine/prometheus/promtool` the version that the go.mod pins.

    Raises SetupProblemError if the build fails.
    """
    version = module_version(MODULE, NAME)
    program, stamped = FOLDER / "promtool", FOLDER / "promtool.json"
    if not intact(stamped, program, version):
        stamped.unlink(missing_ok=True)
        about = "about 2 minutes"
        build(MODULE, f"{NAME}/cmd/promtool", program, "", about, tags=WITHOUT_CLOUDS)
        stamp(stamped, program, version, found=version)


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__, "promtool", "the tests of alerts", (optional.require_go, ensure_promtool)
    )


if __name__ == "__main__":
    sys.exit(main())
