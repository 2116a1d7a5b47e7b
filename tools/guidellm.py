"""Puts guidellm, a load generator for language models, into `.engine/guidellm/`.

    python3 tools/guidellm.py [--if-possible]

Its packages are pinned in tools/pip/guidellm/. `--if-possible` says what is missing and succeeds.
"""

import sys

import optional
from pinned import ensure_environment


def _ensure_guidellm() -> None:
    ensure_environment("guidellm", about="about a minute, 430 MiB")


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(
        __doc__, "guidellm", "the tests of load with guidellm", (_ensure_guidellm,)
    )


if __name__ == "__main__":
    sys.exit(main())
