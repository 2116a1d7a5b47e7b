"""Puts Pulumi's Python language host into `.engine/language-host/`.

    python3 tools/language_host.py

Only the plain `pulumi` command needs it, and only where the engine is a build: official releases
bring their own.
"""

import shutil
import sys

from artifacts import build, go_refusal, module_folders
from engine import COMMAND, ENGINE, SDK_MODULE, linker_flags
from problem import SetupProblemError
from versions import ROOT, pinned

NAME = "pulumi-language-python"
LANGUAGE_HOST = ENGINE / "language-host" / NAME
EXECUTOR = f"{NAME}-exec"
MODULE = ROOT / "tools" / "go" / "language-host"
PROGRAMS = f"{SDK_MODULE}/python/cmd"
MINIMUM_GO = (1, 25)  # of its go.mod


def ensure_language_host() -> None:
    """Make the plain `pulumi` command able to run Python programs.

    Raises SetupProblemError without Go, or if the build fails.
    """
    if COMMAND.resolve().with_name(NAME).exists() or LANGUAGE_HOST.exists():
        return
    refusal = go_refusal(MINIMUM_GO)
    if refusal is not None:
        raise SetupProblemError(f"{refusal}, to build Pulumi's language host with")
    [sdk] = module_folders(MODULE, [SDK_MODULE])
    built = LANGUAGE_HOST.with_name("built")
    version = linker_flags(pinned("pulumi"))
    build(MODULE, f"{PROGRAMS}/{NAME}", built, version, about="about 1 minute")
    # The host starts the program through this script beside it. Put first, so that a host that is
    # in place is a whole one.
    beside = LANGUAGE_HOST.with_name(EXECUTOR)
    shutil.copy(sdk / "python" / "cmd" / EXECUTOR, beside)
    beside.chmod(0o755)
    built.replace(LANGUAGE_HOST)


def main() -> int:
    """Run it; return the exit code."""
    try:
        ensure_language_host()
    except (SetupProblemError, OSError) as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
