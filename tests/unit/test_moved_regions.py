"""A region that exists keeps the network, the subnet and the cluster that it was made with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog import strict_yaml
from config.load import from_mapping
from config.platform import Platform
from launcher.paths import StackPaths
from launcher.preconditions import check_kept
from launcher.problem import LaunchError
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit.harness import Deploy

FILE = ROOT / "Pulumi.estate.yaml"
DOCUMENT: Any = strict_yaml.load(FILE.read_text())


@dataclass(frozen=True)
class Made(StackPaths):
    """A stack that was made."""

    resources: tuple[dict[str, Any], ...] = ()

    def recorded(self) -> list[dict[str, Any]]:
        return list(self.resources)


def _platform(**existing: str | None) -> Platform:
    config = copy.deepcopy(
        {key: each for key, each in DOCUMENT["config"].items() if ":" not in key}
    )
    parts = config["regions"]["us-central1"]["existing"] | existing
    left = {key: each for key, each in parts.items() if each is not None}
    config["regions"]["us-central1"]["existing"] = left
    return from_mapping(config, "Pulumi.estate.yaml")


@pytest.fixture
def move(deploy: Deploy) -> Callable[[Platform, Platform], str]:
    """Return what is said where a stack that was made of one config gets another."""

    def moved(before: Platform, after: Platform) -> str:
        cloud = deploy(lambda: build_platform(before))
        made = tuple(
            {
                "type": each.type,
                "urn": each.urn,
                "id": each.id,
                "inputs": each.inputs,
                "outputs": {**each.inputs, **each.outputs},
            }
            for each in cloud.resources
            if each.custom
        )
        try:
            check_kept(Made("estate", FILE, Path(), made), after)
        except LaunchError as refused:
            return str(refused)
        return ""

    return moved


@pytest.mark.parametrize("cluster", ["shared", None])
def test_one_that_stays(cluster: str | None, move: Callable[[Platform, Platform], str]):
    assert not move(_platform(cluster=cluster), _platform(cluster=cluster))


@pytest.mark.parametrize(
    ("before", "after", "key", "found", "made"),
    [
        ({}, {"cluster": None}, "cluster", "none", "shared"),
        ({}, {"cluster": "web"}, "cluster", "web", "shared"),
        ({"cluster": None}, {}, "cluster", "shared", "one of its own"),
        (
            {"cluster": None},
            {"cluster": None, "subnetwork": "other"},
            *("subnetwork", "other", "inference"),
        ),
    ],
)
def test_one_that_would_move(
    before: dict[str, str | None],
    after: dict[str, str | None],
    key: str,
    found: str,
    made: str,
    move: Callable[[Platform, Platform], str],
):
    said = move(_platform(**before), _platform(**after))
    assert said.startswith(
        f"Pulumi.estate.yaml: regions.us-central1.existing.{key}: found {found}, but us-central1 "
        f"was made with {made}; a living region stays where it is"
    )
    assert len(said.splitlines()) == 1


def _beside(folder: Path, **project: str) -> str:
    """Return what is said of the estate where another stack file has its cluster too."""
    file = folder / "Pulumi.estate.yaml"
    file.write_text(FILE.read_text())
    other = copy.deepcopy(DOCUMENT)
    other["config"]["project"] |= project
    (folder / "Pulumi.other.yaml").write_text(yaml.safe_dump(other))
    (folder / "Pulumi.broken.yaml").write_text("config: {")
    try:
        check_kept(Made("estate", file, Path()), _platform())
    except LaunchError as refused:
        return str(refused)
    return ""


def test_two_stacks_share_no_cluster(tmp_path: Path):
    assert _beside(tmp_path) == (
        "Pulumi.estate.yaml: regions.us-central1.existing.cluster: found 'shared', which "
        "Pulumi.other.yaml names too; a cluster takes one stack: what both make has the same "
        "names. Give each team a namespace in one stack (teams), or each stack a cluster"
    )


def test_clusters_of_two_projects_may_have_one_name(tmp_path: Path):
    assert not _beside(tmp_path, id="acme-inference-other")
