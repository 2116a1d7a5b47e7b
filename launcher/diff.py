"""The command line behind `make diff`: what differs between two environments, or two plans."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from launcher.paths import stack_folder, stack_paths
from launcher.plan_report import plan_file, planned
from launcher.problem import LaunchError
from launcher.verify import emptied
from plans import comment, mermaid, page
from plans.difference import difference
from plans.picture import picture_of
from plans.report import report_of
from sandbox.providers import ServeError
from sandbox.world import WorldError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the difference; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m launcher.diff", description=__doc__)
    for side in ("from", "to"):
        parser.add_argument(
            f"--{side}", required=True, help="a stack, or the plan.json that `make report` wrote"
        )
    chosen = vars(parser.parse_args(arguments))
    try:
        with ExitStack() as open_ones:
            files = [_plan(chosen[side], open_ones) for side in ("from", "to")]
            plan, words = difference(*files)
    except (LaunchError, ServeError, WorldError, ValueError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    found = report_of(plan, None, date.today(), words)
    print(comment.render(found, mermaid.render(picture_of(plan))), end="")
    file = stack_folder("diff.html")
    file.write_text(page.render(found, plan, None)[0], encoding="utf-8")
    print(f"The page: {file}", file=sys.stderr)
    return 0


def _plan(name: str, open_ones: ExitStack) -> Path:
    """Return the file of a plan: that of a stack makes it from nothing, on the sandbox cloud."""
    if name.endswith(".json"):
        return Path(name)
    empty = open_ones.enter_context(emptied(stack_paths(name)))
    planned(empty, "sandbox")
    return plan_file(empty)


if __name__ == "__main__":
    sys.exit(main())
