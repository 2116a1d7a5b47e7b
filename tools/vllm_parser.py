"""Puts vLLM's server into `.engine/vllm/`, as far as its argument parser goes.

    python3 tools/vllm_parser.py [--if-possible]

Its packages are pinned in tools/pip/vllm/. `--if-possible` says what is missing and succeeds.
"""

import sys

import optional
from pinned import ensure_environment


def _ensure_vllm() -> None:
    ensure_environment("vllm", about="about a minute, 300 MiB")


def main() -> int:
    """Run the step; return the exit code."""
    return optional.main(
        __doc__, "vLLM", "the tests of model servers' arguments with vLLM's parser", (_ensure_vllm,)
    )


if __name__ == "__main__":
    sys.exit(main())
