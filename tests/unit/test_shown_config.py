"""Every block of config that a page shows loads, can be made, and is refused by nothing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.errors import ConfigError
from config.examples import laid_over, read
from config.load import from_mapping
from policies.engine.environment import ENVIRONMENTS, settings_of
from sandbox.faults.plan import read as read_faults
from stacks.platform import build_platform
from tests.unit.harness import run
from tests.unit.judged import refused, seen

ROOT = Path(__file__).parents[2]
TASKS = ROOT / "docs" / "tasks"
ELSEWHERE = {
    "docs/rollouts.md": "tests/engine/test_rollouts.py",
    "docs/use-elsewhere.md": "tests/engine/test_use_elsewhere.py",
}
"""What tests the blocks of a page that are steps, or not of this program."""
PAGES = [
    page
    for page in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *TASKS.glob("*.md")))
    if str(page.relative_to(ROOT)) not in ELSEWHERE
]
BLOCK = re.compile(r"^( *)```yaml\n\1# ([^\s,]+)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
BESIDE = re.compile(r"(?:sandbox|import)\.\w+\.yaml")
"""Files whose blocks are held to their schemas by tests/setup/test_schemas.py."""
FAULTS = re.compile(r"\.sandbox/\w+/faults\.yaml")
"""Plans of faults, which no repository holds."""


def blocks(page: Path) -> Iterator[tuple[str, Any]]:
    """Yield the file that each block of a page is of, and what it says."""
    for _, file, text in BLOCK.findall(page.read_text()):
        yield file, yaml.safe_load(textwrap.dedent(text))


@dataclass
class Together:
    """Blocks of one environment that go together, as one config; it is slow to make each alone."""

    file: str
    config: Mapping[str, Any]
    policies: list[Any]


def together() -> Iterator[Together]:
    """Yield the blocks laid over the committed stacks, as many together as load."""
    for stack in sorted(ROOT.glob("Pulumi.*.yaml")):
        own = {key: each for key, each in read(stack).items() if ":" not in key}
        now = Together(stack.name, own, [])
        for page in PAGES:
            changes = [each for file, each in blocks(page) if file == stack.name]
            name = f"policies/environments/{own['environment']}.yaml"
            allowed = [each for file, each in blocks(page) if file == name]
            for change in changes:
                config = laid_over(now.config, change)
                try:
                    from_mapping(config, stack.name)
                except ConfigError:
                    yield now
                    config, now = laid_over(own, change), Together(stack.name, own, [])
                now.config = config
                now.policies += allowed
        yield now


GROUPS = [*together()]


def test_every_block_names_its_file() -> None:
    for page in PAGES:
        assert page.read_text().count("```yaml") == len([*blocks(page)]), page.name
        for file, shown in blocks(page):
            if FAULTS.fullmatch(file):
                assert read_faults(shown)
            else:
                assert (ROOT / file).exists() or BESIDE.fullmatch(file)


def test_pages_with_blocks_of_another_kind_have_a_test_of_their_own() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text()


def test_every_page_is_listed() -> None:
    index = (TASKS / "README.md").read_text()
    assert {f"({page.name})" for page in TASKS.glob("*.md") if page.name != "README.md"} == {
        *re.findall(r"\([a-z-]+\.md\)", index)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_loads_alone(page: Path) -> None:
    for file, change in blocks(page):
        if file.startswith("Pulumi."):
            own = {key: each for key, each in read(ROOT / file).items() if ":" not in key}
            from_mapping(laid_over(own, change), file)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.file)
def test_blocks_are_made_and_allowed(group: Together, tmp_path: Path) -> None:
    platform = from_mapping(group.config, group.file)
    shipped: Any = yaml.safe_load((ENVIRONMENTS / f"{platform.environment}.yaml").read_text())
    environment = tmp_path / "environment.yaml"
    environment.write_text(yaml.safe_dump(reduce(laid_over, group.policies, shipped)))
    made = run(lambda: build_platform(platform))
    assert refused(seen(made), settings_of(environment)) == []
