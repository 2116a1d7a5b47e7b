"""Every row of docs/documents.md is done by what is there and shown by tests that are, or says why
it is missing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from catalog import strict_yaml
from components import COMPONENTS
from tests.policies.harness import RULES

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs" / "documents.md").read_text()
NAME: Final = re.compile(r"`([^`]+)`")
TEST: Final = re.compile(r"^\s*(?:async )?def (test_\w+)\(", re.MULTILINE)
KEPT: Final = {"RATE_LIMIT"}
"""What else does a row: a setting of a service."""


def rows() -> Iterator[list[str]]:
    """Yield the cells of every row."""
    for line in TEXT.splitlines():
        if line.startswith("|") and not line.startswith(("| row", "|---")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_is_done_and_shown_or_says_why_not() -> None:
    found = [*rows()]
    assert len(found) > 100
    for row, done, shown, missing in found:
        assert (done and shown) or missing, row


def test_what_does_a_row_is_there() -> None:
    since = strict_yaml.load((ROOT / "config" / "since.yaml").read_text())
    keys = set(re.findall(r"\w+", str(since)))
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for row, done, _, _ in rows():
        for name in NAME.findall(done):
            if "/" in name or name.endswith(".md"):
                assert (ROOT / name).exists(), (row, name)
            else:
                known = name in {*RULES, *COMPONENTS, *KEPT, *targets}
                assert known or set(name.split(".")) <= keys, (row, name)


def test_what_shows_a_row_is_a_test() -> None:
    tests = {
        name for file in (ROOT / "tests").rglob("*.py") for name in TEST.findall(file.read_text())
    }
    for row, _, shown, _ in rows():
        for name in NAME.findall(shown):
            assert (ROOT / name).exists() if "/" in name else name in tests, (row, name)
