"""The API server is built once, etcd is found, and a machine without Go is told what to do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.paths import ROOT

# Answers as Go does, writes what it would build, and notes each build.
GO = """#!/bin/sh
case "$1" in
  env) echo go1.26.0 ;;
  mod) while read -r line; do echo "$line"; done < "{home}/downloads" ;;
  build)
    while [ "$1" != -o ]; do shift; done
    echo server > "$2"
    echo built >> "{home}/builds"
    ;;
esac
"""
# What `go mod download -json` says of the two modules with definitions.
DOWNLOADS = '{"Dir": "/one"}\n{"Dir": "/two"}\n'
ETCD = "#!/bin/sh\necho etcd Version: 3.4.23\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return a clone in its own folder, on a machine with nothing on PATH but `bin/`."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    (tmp_path / "bin").mkdir()
    (tmp_path / "downloads").write_text(DOWNLOADS)
    return tmp_path


def put(machine: Path, name: str, text: str) -> Path:
    command = machine / "bin" / name
    command.write_text(text.format(home=machine))
    command.chmod(0o755)
    return command


def set_up(machine: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": str(machine / "bin"),
        "HOME": str(machine),
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
    }
    return subprocess.run(
        [sys.executable, "tools/api_server.py", *flags],
        cwd=machine,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_machine_without_go_is_told_to_install_it(machine: Path) -> None:
    result = set_up(machine)
    assert result.returncode == 1
    assert "no `go` on PATH: install Go 1.25 or later" in result.stderr
    assert "Traceback" not in result.stderr


def test_where_it_is_optional_the_skip_is_loud_and_no_failure(machine: Path) -> None:
    result = set_up(machine, "--if-possible")
    assert result.returncode == 0
    assert "SKIPPING the tests against a real Kubernetes API server" in result.stderr
    assert "install Go" in result.stderr


def test_a_machine_without_etcd_is_told_to_install_it(machine: Path) -> None:
    put(machine, "go", GO)
    result = set_up(machine)
    assert result.returncode == 1
    assert "install etcd 3.4 or later" in result.stderr


def test_the_server_is_built_once_and_etcd_on_path_is_used(machine: Path) -> None:
    put(machine, "go", GO)
    etcd = put(machine, "etcd", ETCD)
    assert set_up(machine).returncode == 0
    assert (machine / ".engine" / "kubernetes" / "etcd").resolve() == etcd
    assert set_up(machine).stderr == ""
    assert (machine / "builds").read_text() == "built\n"


def test_a_half_written_server_is_built_again(machine: Path) -> None:
    put(machine, "go", GO)
    put(machine, "etcd", ETCD)
    set_up(machine)
    (machine / ".engine" / "kubernetes" / "kube-apiserver").write_text("s")
    assert set_up(machine).returncode == 0
    assert (machine / "builds").read_text() == "built\nbuilt\n"


def test_a_module_that_go_gives_no_folder_of_is_not_taken_for_present(machine: Path) -> None:
    put(machine, "go", GO)
    put(machine, "etcd", ETCD)
    (machine / "downloads").write_text('{"Dir": "/one"}\n{"Error": "no such module"}\n')
    result = set_up(machine)
    assert result.returncode == 1
    assert "failed: no such module" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_server_and_its_libraries_are_of_one_release() -> None:
    module = (ROOT / "tools" / "go" / "kube-apiserver" / "go.mod").read_text()
    wanted = re.search(r"^require k8s\.io/kubernetes v1\.(\S+)$", module, re.MULTILINE)
    assert wanted
    replaced = re.findall(r"^\t(k8s\.io/\S+) => (\S+) v0\.(\S+)$", module, re.MULTILINE)
    assert len(replaced) > 20
    for name, by, version in replaced:
        assert (by, version) == (name, wanted.group(1))
