"""A new environment is valid, has no range that another has, and passes its own policies."""

import ipaddress
import re
from pathlib import Path

import pytest

from config.load import from_file
from launcher import new_environment as made
from launcher import operations
from launcher.new_environment import environment_text, new_environment
from launcher.paths import ROOT
from launcher.problem import LaunchError
from policies.engine import environment as policies
from tests.engine.conftest import Rehearsal

PRIVATE = re.compile(r"\b10\.\d+\.\d+\.\d+/\d+")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let environments be written into a folder that has none."""
    (tmp_path / "policies").mkdir()
    monkeypatch.setattr(made, "ROOT", tmp_path)
    monkeypatch.setattr(made, "ENVIRONMENTS", tmp_path / "policies")
    for file in ROOT.glob("Pulumi.*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def ranges(file: Path) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(each) for each in set(PRIVATE.findall(file.read_text()))]


@pytest.mark.parametrize("source", ["dev", "prod"])
def test_it_is_valid_and_shares_no_range_and_no_name(project: Path, source: str) -> None:
    new_environment("staging", source)
    file = project / "Pulumi.staging.yaml"
    platform = from_file(file)
    assert platform.environment == "staging"
    assert platform.project.id == "acme-inference-staging"
    assert ranges(file)
    for other in ROOT.glob("Pulumi.*.yaml"):
        for one in ranges(file):
            assert not [each for each in ranges(other) if one.overlaps(each)], one
    text = (project / "policies" / "staging.yaml").read_text()
    policies.load(project / "policies" / "staging.yaml")
    assert "acme-inference-staging" in text
    assert f"acme-inference-{source}" not in text + file.read_text()


def test_a_second_one_shares_no_range_with_the_first(project: Path) -> None:
    new_environment("staging", "dev")
    new_environment("test", "dev")
    first, second = (ranges(project / f"Pulumi.{name}.yaml") for name in ("staging", "test"))
    assert not [one for one in first if any(one.overlaps(other) for other in second)]


def test_ranges_of_a_block_stay_together_and_public_ones_stay() -> None:
    text = "a: 10.10.0.0/20\nb: 10.10.32.0/24\nc: 10.64.0.0/14\nd: 203.0.113.0/24\n"
    moved = environment_text(text, "dev", "staging", [text])
    assert moved == "a: 10.11.0.0/20\nb: 10.11.32.0/24\nc: 10.68.0.0/14\nd: 203.0.113.0/24\n"


def test_what_is_there_is_not_written_over(project: Path) -> None:
    with pytest.raises(LaunchError, match=r"Pulumi\.prod\.yaml is there already"):
        new_environment("prod", "dev")


def test_a_name_that_cannot_be_one_writes_nothing(project: Path) -> None:
    with pytest.raises(LaunchError, match=r"nothing was written:\nPulumi\.St_1\.yaml: environment"):
        new_environment("St_1", "dev")
    assert not list((project / "policies").iterdir())


def test_it_passes_its_own_policies(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_environment("staging", "dev")
    (project / "policies" / "staging.yaml").rename(tmp_path / "environment.yaml")
    operations.preview(Rehearsal("staging", tmp_path).places)
    assert "0 violations" in capsys.readouterr().out
