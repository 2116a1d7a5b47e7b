"""The command line of a set-up that only some tests and targets need."""

import argparse
import sys
from collections.abc import Callable, Sequence

from artifacts import go_refusal
from problem import SetupProblemError

MINIMUM_GO = (1, 25)  # of the inference extension; the API server needs 1.24


def main(doc: str | None, what: str, unused: str, steps: Sequence[Callable[[], None]]) -> int:
    """Run the steps; return the exit code.

    `what` is made, and `unused` is what the machine goes without where it can't be had.
    """
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--if-possible", action="store_true", help="succeed where it can't be had")
    chosen = parser.parse_args()
    try:
        for step in steps:
            step()
    except SetupProblemError as problem:
        if not chosen.if_possible:
            print(f"setup: no {what}: {problem}", file=sys.stderr)
            return 1
        print(f"setup: SKIPPING {unused}, because it can't be had here: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("setup: interrupted; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


def require_go() -> None:
    """Raise SetupProblemError where there is no Go that can build the programs."""
    refusal = go_refusal(MINIMUM_GO)
    if refusal is not None:
        wanted = ".".join(map(str, MINIMUM_GO))
        raise SetupProblemError(f"{refusal}: install Go {wanted} or later (https://go.dev/dl)")
