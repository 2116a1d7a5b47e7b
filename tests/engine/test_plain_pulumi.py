"""The ordinary `pulumi` command, as users run it: no launcher, a language host, a Pulumi.yaml."""

import shutil
from pathlib import Path

import pytest

from launcher.paths import ROOT
from tests.engine.plain import Plain, need_host, served

COPIED = ("Pulumi.yaml", "Pulumi.dev.yaml")
LINKED = ("__main__.py", ".venv", "catalog", "components", "config", "sizing", "stacks")


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


def test_a_plain_preview_of_dev_shows_the_whole_platform(project: Path, tmp_path: Path) -> None:
    need_host("python")
    with served(tmp_path / "world.db") as providers:
        pulumi = Plain(project, providers)
        pulumi("stack", "init", "dev")
        preview = pulumi("preview", "--stack", "dev")
    assert "inference:index:InferenceGateway" in preview
    assert "to create" in preview
