"""What an earlier version made comes up with this one: nothing goes that is not announced."""

import re
import tarfile
from importlib.metadata import version
from pathlib import Path

import pytest

from config.examples import laid_over
from launcher import operations
from launcher.paths import ROOT
from launcher.progress import short_type
from tests.engine.conftest import Rehearsal

STATES = sorted((ROOT / "tests" / "upgrades").rglob("*.tar.xz"))
_SINKS = frozenset({"inference-pipelines-copies-backlog-age"})
ANNOUNCED = {"2026-11-29-dev.tar.xz": _SINKS, "2026-11-29-prod.tar.xz": _SINKS}
"""By archive, the names of resources that CHANGELOG.md says are replaced or deleted."""
_LIMITED = {"requests_per_minute": 600, "quota": {"requests": 500000, "per": "day"}}
ASKED = {
    "2026-11-29-prod.tar.xz": {
        "audit": {"region": "us-central1", "retention_days": 400},
        "guardrail_floor": {"enforce": True},
        "api_management": {"apigee": {"consumers": {"llm-backend": _LIMITED}}},
        "binary_authorization": {"attestors": ["scanned"]},
    }
}
"""By archive, what CHANGELOG.md says that a stack file needs before."""
SDK = re.compile(r"gcp-(\d+)\.(\d+)")
GOING = re.compile(r"^  (?:-|\+) +\d+  (\S+)  (\S+)(?: \[.*)?$", re.MULTILINE)
"""A resource that goes, or is made: a replacement where one of its type and name was there."""


@pytest.mark.parametrize("archive", STATES, ids=lambda file: file.name.removesuffix(".tar.xz"))
def test_a_stack_of_an_earlier_version_loses_nothing(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(archive) as content:
        content.extractall(tmp_path)  # noqa: S202 - files of this repository
    stack = stack_of(archive)
    rehearsal = Rehearsal(stack, tmp_path)
    rehearsal.edit(lambda config: config.update(laid_over(config, ASKED.get(archive.name, {}))))
    before = {
        (short_type(each["type"]), each["urn"].rpartition("::")[2])
        for each in rehearsal.resources()
    }
    operations.preview(rehearsal.places)
    told = capsys.readouterr().out
    going = {name for of, name in GOING.findall(told) if (of, name) in before}
    assert going == ANNOUNCED.get(archive.name, frozenset())
    assert len(before) > 100


def test_there_is_a_state_of_each_stack() -> None:
    stacks = {stack_of(archive) for archive in STATES}
    assert {"dev", "prod"} <= stacks


def test_there_is_a_state_of_each_minor_version_of_the_sdk_before_the_pinned() -> None:
    major, minor, *_ = map(int, version("pulumi-gcp").split("."))
    recorded = {match.groups() for file in STATES if (match := SDK.search(file.name))}
    assert recorded >= {(str(major), str(earlier)) for earlier in range(minor)}
    assert any(of == str(major - 1) for of, _ in recorded)


def stack_of(archive: Path) -> str:
    return archive.name.removesuffix(".tar.xz").rpartition("-")[2]
