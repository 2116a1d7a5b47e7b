"""Puts the Pulumi engine into `.engine/`: one on PATH, else the official release, else a build."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from artifacts import build, go_refusal, install, intact, sha256, stamp
from problem import SetupProblemError
from progress import say
from versions import ROOT, pinned

ENGINE = ROOT / ".engine"
STAMP = ENGINE / "engine.json"
COMMAND = ENGINE / "bin" / "pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
VERSION_PACKAGE = f"{SDK_MODULE}/go/common/version"
RELEASE = "https://get.pulumi.com/releases/sdk/pulumi-v{version}-{system}-{machine}.tar.gz"
CHECKSUMS = (
    "https://github.com/pulumi/pulumi/releases/download/v{version}/pulumi-{version}-checksums.txt"
)
RELEASE_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
DOWNLOAD_SECONDS = 20
MINIMUM_GO = (1, 21)


def ensure_engine() -> None:
    """Make `.engine/bin/pulumi` a working engine of a compatible version.

    Does nothing when the stamp fits the file. Raises SetupProblemError when none of the three ways
    works on this machine.
    """
    version = pinned("pulumi")
    if intact(STAMP, COMMAND, version):
        return
    if STAMP.exists() or COMMAND.exists():
        say("the Pulumi engine is incomplete or of another version: installing it again")
    shutil.rmtree(ENGINE / "bin", ignore_errors=True)
    STAMP.unlink(missing_ok=True)
    refusals: list[str] = []
    for way in (_from_path, _from_release, _from_go_modules):
        refusal = way(version)
        if refusal is None:
            stamp(STAMP, COMMAND, version, found=_version_of(COMMAND))
            return
        refusals.append(refusal)
    raise SetupProblemError(
        f"no Pulumi engine {version}. Do one of these and run it again:\n"
        f"  - install Pulumi {version} or a later 3.x, so that `pulumi` is on PATH\n"
        "  - let this machine reach get.pulumi.com and github.com\n"
        f"  - install Go {'.'.join(map(str, MINIMUM_GO))} or later, with access to a module proxy\n"
        "What was tried:\n" + "\n".join(f"  - {refusal}" for refusal in refusals)
    )


def _from_path(version: str) -> str | None:
    found = shutil.which("pulumi")
    if found is None:
        return "no `pulumi` on PATH"
    actual = _version_of(Path(found))
    if not _compatible(actual, version):
        return f"`pulumi` on PATH ({found}) is {actual or 'broken'}: needs {version} or later 3.x"
    COMMAND.parent.mkdir(parents=True, exist_ok=True)
    # The engine looks for its plugins beside its real file, so the link must be to that.
    COMMAND.symlink_to(Path(found).resolve())
    say(f"using Pulumi {actual} from {found}")
    return None


def _from_release(version: str) -> str | None:
    machine = RELEASE_MACHINES.get(platform.machine().lower())
    system = platform.system().lower()
    if machine is None or system not in {"linux", "darwin"}:
        return f"no official release for {system} on {platform.machine()}"
    url = RELEASE.format(version=version, system=system, machine=machine)
    say(f"downloading the official release {url} ...")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / url.rsplit("/", 1)[1]
        try:
            checksums = _download(CHECKSUMS.format(version=version)).decode()
            archive.write_bytes(_download(url))
        except (urllib.error.URLError, OSError) as problem:
            return f"the official release could not be had: {getattr(problem, 'reason', problem)}"
        expected = re.search(rf"^([0-9a-f]{{64}})\s+\*?{re.escape(archive.name)}$", checksums, re.M)
        if expected is None or sha256(archive) != expected.group(1):
            return f"{archive.name} does not match the checksum its release publishes"
        with tarfile.open(archive) as tar:
            # Since 3.11.4: https://docs.python.org/3/library/tarfile.html#supporting-older-python-versions
            setattr(tar, "extraction_filter", getattr(tarfile, "data_filter", None))  # noqa: B010
            tar.extractall(folder)  # noqa: S202 - checked by its hash
        install(Path(folder) / "pulumi", ENGINE / "bin")
    return None


def _from_go_modules(version: str) -> str | None:
    refusal = go_refusal(MINIMUM_GO)
    if refusal is not None:
        return f"{refusal}, to build the engine with"
    try:
        build(
            ROOT / "tools" / "go" / "engine",
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            COMMAND,
            linker_flags(version),
            about="about 5 minutes",
        )
    except SetupProblemError as problem:
        return str(problem)
    return None


def linker_flags(version: str) -> str:
    """Return what tells a Go program of Pulumi's its version."""
    return f"-X {VERSION_PACKAGE}.Version=v{version}"


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as response:  # noqa: S310 https only
        return bytes(response.read())


def _version_of(command: Path) -> str:
    try:
        result = subprocess.run(
            [str(command), "version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip().removeprefix("v") if result.returncode == 0 else ""


def _compatible(actual: str, wanted: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", actual)
    if numbers is None:
        return False
    have = tuple(map(int, numbers.groups()))
    need = tuple(map(int, wanted.split(".")))
    return have[0] == need[0] and have >= need
