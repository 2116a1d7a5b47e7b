"""Sets up a clean clone from empty caches and runs `make up` in it: what a fresh machine sees.

    python3 tools/fresh.py

What is committed is cloned. HOME and the caches of Go, pip and uv are empty folders. The time of
each step is printed at the end.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from versions import ROOT

STEPS = (
    ("set-up", ("make", "setup")),
    ("the first up", ("make", "up")),
    ("the language host of the plain pulumi", (sys.executable, "tools/language_host.py")),
)
CACHES = {
    "HOME": "home",
    "XDG_CACHE_HOME": "home/.cache",
    "GOPATH": "go",
    "GOMODCACHE": "go/pkg/mod",
    "GOCACHE": "go-build",
    "PIP_CACHE_DIR": "pip",
    "UV_CACHE_DIR": "uv",
}
# Of the make that called this one, and of a shell with another project's environment.
DROPPED = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH", "INFERENCE_SANDBOX")


def main() -> int:
    """Run the steps; return the exit code of the first that fails."""
    with tempfile.TemporaryDirectory(prefix="fresh-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        environment = {name: value for name, value in os.environ.items() if name not in DROPPED}
        for variable, place in CACHES.items():
            (folder / place).mkdir(parents=True, exist_ok=True)
            environment[variable] = str(folder / place)
        try:
            return _run_steps(clone, environment)
        finally:
            # Go's module cache is read-only: only Go itself removes it.
            if shutil.which("go") is not None:
                subprocess.run(["go", "clean", "-modcache"], env=environment, check=False)


def _run_steps(clone: Path, environment: dict[str, str]) -> int:
    times: list[str] = []
    for what, command in STEPS:
        started = time.monotonic()
        done = subprocess.run(command, cwd=clone, env=environment, check=False)
        times.append(f"{what} {time.monotonic() - started:.0f} s")
        if done.returncode != 0:
            print(f"fresh: FAILED in {what}, after {', '.join(times)}", file=sys.stderr)
            return done.returncode
    print(f"fresh: from empty caches: {', '.join(times)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
