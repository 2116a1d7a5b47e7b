"""`python -m bench`: the figures as a table on standard error and as JSON on standard output."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.growth import growth_figures
from bench.measure import say
from bench.pack_cost import policies_figures
from bench.request_path import request_path_figures
from bench.services import services_figures
from bench.stacks import stacks_figures
from bench.table import table

PARTS: Mapping[str, Callable[[Path], Any]] = {
    "stacks": stacks_figures,
    "policies": policies_figures,  # of the prod that stacks made
    "growth": growth_figures,
    "services": services_figures,
    "request path": request_path_figures,
}


def main() -> None:
    """Measure every part, or those that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="a part to measure; may be given again"
    )
    wanted: list[str] = parser.parse_args().only or list(PARTS)
    with tempfile.TemporaryDirectory() as folder:
        report = {name: run(Path(folder)) for name, run in PARTS.items() if name in wanted}
    say(table(report))
    json.dump(report, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
