"""Run modules that write files made from the code, in one process: what they import is read once.

python tools/pages.py [--check] MODULE...
"""

import sys
from importlib import import_module
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run each module with the options; return the worst of their exit codes."""
    options = [each for each in arguments if each.startswith("-")]
    names = [each for each in arguments if not each.startswith("-")]
    sys.path[0] = str(Path(__file__).parents[1])
    return max(import_module(name).main(options) for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
