"""Every trap is one dated row that says what is done about it and what holds it there."""

import re
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLUMNS = ["date", "symptom", "cause", "what the platform does", "test"]
TESTS = {
    name
    for file in (ROOT / "tests").rglob("*.py")
    for name in re.findall(r"^ *(?:async )?def (test_\w+)\(", file.read_text("utf-8"), re.MULTILINE)
}
SECTIONS = re.findall(
    r"^## (.+)\n\n((?:\|.*\n)+)", (ROOT / "docs/traps.md").read_text(), re.MULTILINE
)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


TRAPS = [
    pytest.param(_cells(line), id=f"{section}: {_cells(line)[1]}")
    for section, table in SECTIONS
    for line in table.splitlines()[2:]
]


def test_every_section_has_the_columns_and_the_newest_first():
    assert SECTIONS
    for section, table in SECTIONS:
        heading, _, *rows = table.splitlines()
        assert _cells(heading) == COLUMNS, section
        dates = [_cells(row)[0] for row in rows]
        assert dates == sorted(dates, reverse=True), section


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_is_dated_and_names_a_test_or_why_it_has_none(trap: list[str]):
    assert len(trap) == len(COLUMNS)
    assert all(trap)
    day, *_, test = trap
    assert date.fromisoformat(day)
    assert set(re.findall(r"`(test_\w+)`", test)) <= TESTS
    assert "`test_" in test or test.startswith("none: ")
