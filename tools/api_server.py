"""Puts a Kubernetes API server and its store into `.engine/kubernetes/`, for the manifest tests.

    python3 tools/api_server.py [--if-possible]

The API server is built from Go modules; etcd is the one on PATH or the Debian package's, unpacked
and not installed, so that no service starts. `--if-possible` says what is missing and succeeds.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import optional
from artifacts import build, install, intact, module_folders, module_version, stamp
from problem import SetupProblemError
from progress import run, say
from versions import ROOT

FOLDER = ROOT / ".engine" / "kubernetes"
API_SERVER = FOLDER / "kube-apiserver"
ETCD = FOLDER / "etcd"
STAMP = FOLDER / "kube-apiserver.json"
MODULE = ROOT / "tools" / "go" / "kube-apiserver"
DEFINITIONS = ROOT / "tools" / "go" / "inference-extension"
DEFINITION_MODULES = ("sigs.k8s.io/gateway-api", "sigs.k8s.io/gateway-api-inference-extension")
PACKAGE = "k8s.io/kubernetes/cmd/kube-apiserver"
VERSION_PACKAGE = "k8s.io/component-base/version"
DEBIAN_PACKAGE = "etcd-server"


def ensure_api_server() -> None:
    """Make `.engine/kubernetes/kube-apiserver` the version that its go.mod pins.

    Raises SetupProblemError without Go, or if the build fails.
    """
    version = module_version(MODULE, "k8s.io/kubernetes")
    if intact(STAMP, API_SERVER, version):
        return
    STAMP.unlink(missing_ok=True)
    major, minor, _ = version.split(".")
    flags = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    build(
        MODULE,
        PACKAGE,
        API_SERVER,
        " ".join(f"-X {VERSION_PACKAGE}.{name}={value}" for name, value in flags.items()),
        about="about 4 minutes",
    )
    stamp(STAMP, API_SERVER, version, found=version)


def ensure_definitions() -> None:
    """Make Go's module cache hold the modules whose resource definitions GKE installs."""
    module_folders(DEFINITIONS, DEFINITION_MODULES)


def ensure_etcd() -> None:
    """Make `.engine/kubernetes/etcd` a working etcd.

    Raises SetupProblemError when it is neither on PATH nor in the package lists of this machine.
    """
    if _works(ETCD):
        return
    ETCD.unlink(missing_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = shutil.which("etcd")
    if found is not None and _works(Path(found)):
        ETCD.symlink_to(Path(found).resolve())
        say(f"using etcd from {found}")
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise SetupProblemError(
            "no working `etcd` on PATH: install etcd 3.4 or later "
            f"(Debian, Ubuntu: apt-get install {DEBIAN_PACKAGE}; macOS: brew install etcd)"
        )
    _unpack_debian_package()


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__,
        "Kubernetes API server",
        "the tests against a real Kubernetes API server",
        (optional.require_go, ensure_etcd, ensure_definitions, ensure_api_server),
    )


def _works(etcd: Path) -> bool:
    try:
        asked = subprocess.run([etcd, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def _unpack_debian_package() -> None:
    say(f"no `etcd` on PATH: unpacking the package {DEBIAN_PACKAGE}, without installing it")
    with tempfile.TemporaryDirectory() as folder:
        try:
            _download(folder)
        except SetupProblemError:
            run(["apt-get", "update"], "updating the package lists, which takes root")
            _download(folder)
        package = next(Path(folder).glob("*.deb"))
        run(["dpkg-deb", "--extract", package, folder], "unpacking etcd")
        install(Path(folder) / "usr" / "bin" / "etcd", ETCD)


def _download(folder: str) -> None:
    run(["apt-get", "download", DEBIAN_PACKAGE], f"downloading {DEBIAN_PACKAGE}", cwd=Path(folder))


if __name__ == "__main__":
    sys.exit(main())
