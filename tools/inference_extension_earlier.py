"""Puts picker and router of an earlier release into `.engine/inference-extension-<release>/`.

    python3 tools/inference_extension_earlier.py [--if-possible]

The tests upgrade from them to those of tools/inference_extension.py. `--if-possible` says what is
missing and succeeds.
"""

import sys

import optional
from artifacts import module_version
from inference_extension import EXTENSION, FOLDER, MODULE, ensure_programs

EARLIER = MODULE.with_name(f"{MODULE.name}-earlier")


def _ensure_earlier() -> None:
    release = module_version(EARLIER, EXTENSION)
    ensure_programs(EARLIER, FOLDER.with_name(f"{FOLDER.name}-v{release}"))


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__,
        "earlier endpoint picker and router",
        "the test that upgrades them",
        (optional.require_go, _ensure_earlier),
    )


if __name__ == "__main__":
    sys.exit(main())
