"""Check environments: `python -m policies.check [--table] [FILE...]`, every one without a file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from policies.engine.config import LEVEL, PolicyConfigError
from policies.engine.environment import ENVIRONMENTS, environments, load
from policies.readme import shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Check each file; return 0 when all can be used, 1 with the problems on standard error."""
    parser = argparse.ArgumentParser(prog="python -m policies.check", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="kept anywhere")
    parser.add_argument("--table", action="store_true", help="print every rule's level and limits")
    chosen = parser.parse_args(arguments)
    failed = False
    for file in chosen.files or [ENVIRONMENTS / f"{name}.yaml" for name in environments()]:
        try:
            config = load(file)
        except PolicyConfigError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        for rule, values in sorted(config.items()) if chosen.table else ():
            rest = "  ".join(f"{key}={shown(each)}" for key, each in values.items() if key != LEVEL)
            print(f"{file.stem:8} {rule:32} {values[LEVEL]:10} {rest}".rstrip())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
