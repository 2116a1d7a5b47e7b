"""Programs that set-up puts into `.engine/`: built from Go modules, moved into place, stamped."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from problem import SetupProblemError
from progress import run


def go_refusal(minimum: tuple[int, int]) -> str | None:
    """Return why Go can't build here, or None if `go` on PATH is `minimum` or later."""
    go = shutil.which("go")
    if go is None:
        return "no `go` on PATH"
    text = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    numbers = re.search(r"go(\d+)\.(\d+)", text.stdout)
    if numbers is None or tuple(map(int, numbers.groups())) < minimum:
        return f"`go` is {text.stdout.strip() or 'broken'}: needs {minimum[0]}.{minimum[1]}"
    return None


def module_version(module: Path, name: str) -> str:
    """Return the version of `name` that the go.mod in `module` pins, without its `v`."""
    pins = (module / "go.mod").read_text()
    found = re.search(rf"^(?:require |\t){re.escape(name)} v(\S+)$", pins, re.MULTILINE)
    if found is None:
        raise SetupProblemError(f"{module / 'go.mod'} does not require {name}")
    return found.group(1)


def module_folders(module: Path, names: Sequence[str]) -> list[Path]:
    """Return where Go keeps the named modules that the go.mod in `module` pins.

    Downloads what its cache lacks. Raises SetupProblemError where a module can't be had.
    """
    # Not `go list`: it has no answer, and no error, for a module that isn't in the cache.
    asked = subprocess.run(
        ["go", "mod", "download", "-json", *names],
        cwd=module,
        capture_output=True,
        text=True,
        check=False,
    )
    rest, folders, refusals = asked.stdout.strip(), list[Path](), list[str]()
    while rest:
        answer, end = json.JSONDecoder().raw_decode(rest)
        rest = rest[end:].strip()
        folders += [Path(answer["Dir"])] if answer.get("Dir") else []
        refusals += [answer["Error"]] if answer.get("Error") else []
    if len(folders) != len(names):
        why = "; ".join(refusals) or asked.stderr.strip() or "no answer"
        raise SetupProblemError(f"go mod download {' '.join(names)} in {module} failed: {why}")
    return folders


def build(
    module: Path, package: str, target: Path, linker_flags: str, about: str, *, tags: str = ""
) -> None:
    """Build `package` as the go.mod in `module` pins it, which takes `about` so long.

    Raises SetupProblemError with the end of the compiler's output if it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / target.name
        run(
            [
                *("go", "build", "-mod=readonly", "-trimpath", "-tags", tags, "-o", built),
                *("-ldflags", f"-s -w {linker_flags}", package),
            ],
            f"building {package.rpartition('/')[2]} from Go modules",
            about=f"{about} on 2 cores, once",
            cwd=module,
            env={**os.environ, "GOFLAGS": "-buildvcs=false"},
        )
        install(built, target)


def install(source: Path, target: Path) -> None:
    """Move into place in one step, so that an interrupted set-up leaves nothing half done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.unlink(missing_ok=True) if beside.is_file() else None
    shutil.move(source, beside)
    beside.replace(target)


def intact(stamp_file: Path, program: Path, version: str) -> bool:
    """Return whether `program` is what was stamped, and was wanted as `version`."""
    try:
        stamp = json.loads(stamp_file.read_text())
        facts = program.resolve(strict=True).stat()
    except (OSError, ValueError):
        return False
    if stamp.get("wanted") != version or stamp.get("size") != facts.st_size:
        return False
    if stamp.get("mtime_ns") == facts.st_mtime_ns:
        return True
    return stamp.get("sha256") == sha256(program)


def stamp(stamp_file: Path, program: Path, version: str, found: str) -> None:
    """Write down what `program` is, so that the next set-up can leave it alone."""
    facts = program.resolve(strict=True).stat()
    stamp_file.write_text(
        json.dumps(
            {
                "wanted": version,
                "found": found,
                "path": str(program.resolve()),
                "size": facts.st_size,
                "mtime_ns": facts.st_mtime_ns,
                "sha256": sha256(program),
            },
            indent=2,
        )
    )


def sha256(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
