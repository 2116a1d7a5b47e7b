"""The pages of tasks, done: their blocks made on the sandbox, their commands of make run there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.errors import ConfigError
from config.examples import laid_over
from config.load import from_mapping
from launcher.paths import ROOT
from tests.setup.test_commands import FENCE, SPAN, commands_of
from tests.unit.test_shown_config import TASKS, blocks

pytestmark = pytest.mark.usefixtures("engine")
OPERATIONS = ("images", "capacity", "report", "route", "drift", "refresh", "demo", "replay")
"""What runs on a stack that is made, in an order that works."""
CASES = [
    pytest.param(page, stack, id=f"{page.stem}-{stack}", marks=pytest.mark.matrix)
    for page in sorted(TASKS.glob("*.md"))
    for stack in sorted({f.split(".")[1] for f, _ in blocks(page) if f.startswith("Pulumi.")})
]


ANOTHER = {"rotate-prod"}
"""Cases that begin with another kind of something protected than the stack is shipped with."""
CERTIFICATES = ROOT / "tests" / "config" / "certificates"


@dataclass
class Place:
    """A folder of config beside the program, as an organisation has one."""

    folder: Path
    stack: str

    def make(self, *words: str) -> str:
        """Run a target as it is documented, on the sandbox cloud; return what it printed."""
        done = subprocess.run(
            ["make", *words, f"STACK={self.stack}", f"CONFIG={self.folder}"],
            cwd=ROOT,
            env={**os.environ, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"make {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def file(self) -> Path:
        return self.folder / f"Pulumi.{self.stack}.yaml"

    @property
    def policies(self) -> Path:
        return self.folder / "policies" / "environments" / f"{self.stack}.yaml"

    def put(self, file: Path, change: Any) -> None:
        """Lay a block over a file of the folder, which may be new."""
        document = yaml.safe_load(file.read_text()) if file.exists() else {}
        if file == self.file:
            change = {"config": change}
        file.write_text(yaml.safe_dump(laid_over(document, change), sort_keys=False))


@pytest.fixture
def place(stack: str, tmp_path: Path) -> Place:
    """Return a folder with what is shipped of a stack."""
    found = Place(tmp_path / "own", stack)
    found.policies.parent.mkdir(parents=True)
    # What blocks name by a path stands where the program's does.
    shutil.copytree(CERTIFICATES, found.folder / CERTIFICATES.relative_to(ROOT))
    shutil.copy(ROOT / found.file.name, found.file)
    shutil.copy(ROOT / found.policies.relative_to(found.folder), found.policies)
    if (beside := ROOT / f"sandbox.{stack}.yaml").exists():
        shutil.copy(beside, found.folder)
    return found


def commands(page: Path, stack: str) -> Iterator[Sequence[str]]:
    """Yield what a page has make do to a stack that is made: its target and its words."""
    text = page.read_text()
    spans = [*(found for _, _, found in FENCE.findall(text)), *SPAN.findall(FENCE.sub("", text))]
    for words in (words for span in spans for words in commands_of(span)):
        program, *rest = words
        given = [each for each in rest if not each.startswith(("STACK=", "CLOUD="))]
        of = next((each.partition("=")[2] for each in rest if each.startswith("STACK=")), stack)
        if program == "make" and given and given[0] in OPERATIONS and of == stack:
            yield given


def changes(page: Path, stack: str) -> Iterator[list[tuple[str, Any]]]:
    """Yield a page's blocks of a stack and its policies, as many together as load together."""
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    own = {key: each for key, each in own.items() if ":" not in key}
    beside = (f"policies/environments/{stack}.yaml", f"sandbox.{stack}.yaml")
    allowed = [each for each in blocks(page) if each[0] in beside]
    config, found = own, []
    for file, change in blocks(page):
        if file != f"Pulumi.{stack}.yaml":
            continue
        config = laid_over(config, change)
        try:
            from_mapping(config, file)
        except ConfigError:
            yield [*allowed, *found]
            config, found = laid_over(own, change), []
        found.append((file, change))
    yield [*allowed, *found]


@pytest.mark.parametrize(("page", "stack"), CASES)
def test_a_task_is_done_as_its_page_says(page: Path, stack: str, place: Place) -> None:
    if f"{page.stem}-{stack}" in ANOTHER:
        place.put(place.file, {"deletion_protection": False})
        place.put(place.policies, {"rules": {"rel-deletion-protection": "disabled"}})
    place.make("up")
    shipped = place.file.read_text(), place.policies.read_text()
    for together in changes(page, stack):
        place.file.write_text(shipped[0])
        place.policies.write_text(shipped[1])
        for file, change in together:
            place.put(place.folder / file, change)
        place.make("up")
        assert "Nothing changes." in place.make("preview")
    for words in sorted(
        {*map(tuple, commands(page, stack))}, key=lambda each: OPERATIONS.index(each[0])
    ):
        place.make(*words)
