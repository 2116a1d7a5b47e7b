"""Print the environments that a pipeline works on, as an output of a step.

    python3 tools/environments.py [BASE] >> "$GITHUB_OUTPUT"

They are those of the folder INFERENCE_CONFIG, else of the project. With the commit that a pull
request is to be merged into, also those whose file it deletes: their reviewers must be told.
Production comes last.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from problem import SetupProblemError
from versions import ROOT


def config_folder() -> Path:
    """Return where the stack files are."""
    return Path(os.environ.get("INFERENCE_CONFIG") or ROOT)


def environments(names: Iterable[str]) -> list[str]:
    """Return the stacks that files of these names are of, production last."""
    found = {
        name.removeprefix("Pulumi.").removesuffix(".yaml")
        for name in names
        if name.startswith("Pulumi.") and name.endswith(".yaml") and name != "Pulumi.yaml"
    }
    return sorted(found, key=lambda stack: (stack.startswith("prod"), stack))


def files_of(commit: str) -> list[str]:
    """Return the names in the folder at a commit. Raises SetupProblemError without it."""
    line = ["git", "ls-tree", "--name-only", commit]
    try:
        listed = subprocess.run(
            line, cwd=config_folder(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise SetupProblemError("no `git` on PATH, or no folder of stack files") from None
    if listed.returncode:
        raise SetupProblemError(
            f"{commit} can't be read ({listed.stderr.strip()}): fetch it first, as "
            "actions/checkout does with fetch-depth: 0"
        )
    return listed.stdout.splitlines()


def main() -> int:
    """Print the line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", nargs="?", metavar="BASE", help="a commit that counts too")
    base: str | None = parser.parse_args().base
    try:
        names = [each.name for each in config_folder().iterdir()]
        if base:
            names += files_of(base)
    except (SetupProblemError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"stacks={json.dumps(environments(names))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
