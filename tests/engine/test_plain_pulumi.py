"""The ordinary `pulumi` command, as users run it: no launcher, a language host, a Pulumi.yaml."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.paths import ROOT

COPIED = ("Pulumi.yaml", "Pulumi.dev.yaml")
LINKED = ("__main__.py", ".venv", "catalog", "components", "config", "sizing", "stacks")
LANGUAGE_HOST = ROOT / ".engine" / "language-host"


@pytest.fixture
def debug_providers(tmp_path: Path) -> Iterator[str]:
    """Yield the sandbox cloud, served by a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.providers", "--world", str(tmp_path / "world.db")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip().removeprefix("PULUMI_DEBUG_PROVIDERS=")
    process.terminate()
    process.communicate()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the project's folder, with copies of the files that the engine writes to."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in COPIED:
        shutil.copyfile(ROOT / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


def test_a_plain_preview_of_dev_shows_the_whole_platform(
    project: Path, debug_providers: str, tmp_path: Path
) -> None:
    if shutil.which("pulumi-language-python") is None:
        put = subprocess.run(
            [sys.executable, "tools/language_host.py"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if put.returncode != 0:
            pytest.skip(f"NOT RUN: no Python language host: {put.stderr}; install the Pulumi CLI")
    state = tmp_path / "state"
    state.mkdir()
    folders = [ROOT / ".venv" / "bin", ROOT / ".engine" / "bin", LANGUAGE_HOST]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "plain",
        "PULUMI_DEBUG_PROVIDERS": debug_providers,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_HOME": str(tmp_path / "pulumi"),
    }

    def pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    made = pulumi("stack", "init", "dev")
    assert made.returncode == 0, made.stderr
    preview = pulumi("preview", "--stack", "dev")
    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert "inference:index:InferenceGateway" in preview.stdout
    assert "to create" in preview.stdout
