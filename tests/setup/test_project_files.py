"""What stands at the top of the project agrees: versions, changes, owners, decisions."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MANIFESTS = [ROOT / "components/PulumiPlugin.yaml", *ROOT.glob("policies/**/PulumiPolicy.yaml")]
RELEASE = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
TARGETS = {
    target
    for line in (ROOT / "Makefile").read_text().splitlines()
    if (rule := re.match(r"([a-z][a-z -]*):(?!=)", line))
    for target in rule[1].split()
}
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))


def test_components_and_policy_packs_have_the_version_of_the_project():
    assert len(MANIFESTS) > 1
    for file in MANIFESTS:
        assert yaml.safe_load(file.read_text())["version"] == PROJECT["version"], file


def test_the_changelog_ends_at_the_version_and_goes_back_in_time():
    changes = (ROOT / "CHANGELOG.md").read_text()
    releases = RELEASE.findall(changes)
    assert changes.index("## [Unreleased]") < changes.index(f"## [{releases[0][0]}]")
    assert releases[0][0] == PROJECT["version"]
    days = [date.fromisoformat(day) for _, day in releases]
    assert days == sorted(days, reverse=True)
    assert set(re.findall(r"^### (.+)$", changes, re.MULTILINE)) <= KINDS
    assert len(re.findall(r"^## ", changes, re.MULTILINE)) == len(releases) + 1


def test_the_licence_is_the_one_the_project_names():
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert re.search(r"Apache License\s+Version 2\.0, January 2004", text)
    assert "END OF TERMS AND CONDITIONS" in text


def test_what_has_an_owner_is_there():
    rows = [
        line.split()
        for line in (ROOT / "CODEOWNERS").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rows[0][0] == "*"
    for pattern, *owners in rows:
        assert all(owner.startswith("@") for owner in owners), pattern
        assert owners, pattern
        assert pattern == "*" or any(ROOT.glob(pattern.strip("/"))), pattern


def test_the_hooks_of_pre_commit_are_make_targets():
    file = ROOT / ".pre-commit-config.yaml"
    hooks = [hook for repo in yaml.safe_load(file.read_text())["repos"] for hook in repo["hooks"]]
    assert hooks
    for hook in hooks:
        command, target = hook["entry"].split()
        assert command == "make"
        assert target in TARGETS


def test_the_help_lists_every_target_that_is_no_part_of_another():
    listed = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert listed <= TARGETS
    assert {each for each in TARGETS - listed if each.partition("-")[0] not in listed} == set()


@pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.stem)
def test_a_decision_is_short_dated_and_listed(file: Path):
    text = file.read_text()
    number = DECISIONS.index(file) + 1
    title = re.match(rf"# {number}\. (.+)\n\nDate: (\S+)\. Status: (accepted|superseded)", text)
    assert title
    assert date.fromisoformat(title[2])
    assert file.name.startswith(f"{number:04}-")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 22
    row = f"| [{number}. {title[1]}]({file.name}) | {title[2]} |"
    assert row in (file.parent / "README.md").read_text()
