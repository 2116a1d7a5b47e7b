"""Puts a language host of Pulumi into `.engine/language-host/`: that of Python, or of YAML.

    python3 tools/language_host.py [yaml]

Only the plain `pulumi` command needs one, and only where the engine is a build: official releases
bring their own.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from artifacts import build, go_refusal, module_folders
from engine import COMMAND, ENGINE, SDK_MODULE, linker_flags
from problem import SetupProblemError
from versions import ROOT, pinned

FOLDER = ENGINE / "language-host"
MODULES = ROOT / "tools" / "go"
MINIMUM_GO = (1, 25)  # of their go.mod


def ensure_language_host(language: str = "python") -> None:
    """Make the plain `pulumi` command able to run programs of a language.

    Raises SetupProblemError without Go, or if the build fails.
    """
    name = f"pulumi-language-{language}"
    if COMMAND.resolve().with_name(name).exists() or (FOLDER / name).exists():
        return
    refusal = go_refusal(MINIMUM_GO)
    if refusal is not None:
        raise SetupProblemError(f"{refusal}, to build Pulumi's language host with")
    if language == "yaml":
        package = f"github.com/pulumi/pulumi-yaml/cmd/{name}"
        build(MODULES / "yaml-host", package, FOLDER / name, "", about="about 2 minutes")
    else:
        _python_host(FOLDER / name)


def _python_host(host: Path) -> None:
    module = MODULES / "language-host"
    [sdk] = module_folders(module, [SDK_MODULE])
    commands, built = "python/cmd", host.with_name("built")
    version = linker_flags(pinned("pulumi"))
    build(module, f"{SDK_MODULE}/{commands}/{host.name}", built, version, about="about 1 minute")
    # The host starts the program through this script beside it. Put first, so that a host that is
    # in place is a whole one.
    beside = host.with_name(f"{host.name}-exec")
    shutil.copy(sdk / commands / beside.name, beside)
    beside.chmod(0o755)
    built.replace(host)


def main(arguments: Sequence[str]) -> int:
    """Run it; return the exit code."""
    try:
        ensure_language_host(*arguments)
    except (SetupProblemError, OSError) as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
