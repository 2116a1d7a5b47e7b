"""Pages that are made from the code: written, told of when old, removed when nothing makes them."""

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml

from catalog.pages import kept, table
from policies.engine.environment import load
from policies.reference import PAGE

TODAY = dt.date(2026, 11, 29)


def test_a_page_is_written_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, stray = tmp_path / "new" / "a.md", tmp_path / "new" / "b.md"

    def run(*arguments: str) -> int:
        return kept(
            "made.up", lambda: {page: "text"}, arguments, stray=lambda: [*tmp_path.glob("new/*")]
        )

    assert run() == 0
    assert page.read_text() == "text"
    stray.write_text("of a component that is gone")
    page.write_text("changed by hand")
    assert run("--check") == 1
    told = capsys.readouterr().err
    assert f"{page}: not what the code says: run `python -m made.up`" in told
    assert f"{stray}: not what" in told
    assert page.read_text() == "changed by hand"
    assert run() == 0
    assert page.read_text() == "text"
    assert not stray.exists()
    assert run("--check") == 0


def test_what_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    def pages() -> dict[Path, str]:
        raise ValueError("budget has no example")

    assert kept("made.up", pages, []) == 1
    assert capsys.readouterr().err == "budget has no example\n"


def test_a_cell_stays_in_its_column() -> None:
    assert table(("a",), [("x | y\nz",)]) == "| a |\n| --- |\n| x \\| y z |"


def test_the_example_of_an_exemption_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    own, dev = tmp_path / "own.yaml", (PAGE.parents[2] / "policies/environments/dev.yaml")
    shown = yaml.safe_load(block)
    whole = yaml.safe_load(dev.read_text())
    own.write_text(
        yaml.safe_dump(
            {"rules": whole["rules"] | shown["rules"], "exemptions": shown["exemptions"]}
        )
    )
    config = load(own, TODAY)
    assert config["rel-pdb"]["level"] == "advisory"
    assert config["rel-pdb"]["exemptions"]
