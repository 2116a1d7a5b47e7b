"""Puts kfp, which compiles pipelines of Vertex AI, into `.engine/kfp/`.

    python3 tools/vertex_pipelines.py [--if-possible]

Its packages are pinned in tools/pip/kfp/. `--if-possible` says what is missing and succeeds.
"""

import sys

import optional
from pinned import ensure_environment


def _ensure_kfp() -> None:
    ensure_environment("kfp", about="some seconds, 60 MiB")


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(__doc__, "kfp", "the test that the pipeline is current", (_ensure_kfp,))


if __name__ == "__main__":
    sys.exit(main())
