"""What a terminal shows of a run, and what a pipe and the log file get."""

import io
import re
import subprocess
from pathlib import Path

import pytest

from launcher.console import Console, cut, wrapped
from launcher.paths import ROOT


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VERBOSE", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def said(out: io.StringIO, log: Path) -> Console:
    screen = Console(log, out)
    screen.status("3 of about 9 done")
    screen.detail("a detail")
    screen.tell("what matters")
    screen.close()
    return screen


def test_a_terminal_keeps_what_matters_and_the_log_all(tmp_path: Path) -> None:
    out = Terminal()
    said(out, tmp_path / "logs" / "up.log")
    assert out.getvalue() == "\r\033[K3 of about 9 done\r\033[Kwhat matters\n\r\033[K"
    assert (tmp_path / "logs" / "up.log").read_text() == "a detail\nwhat matters\n"


def test_a_pipe_gets_every_line_and_no_control_characters(tmp_path: Path) -> None:
    out = io.StringIO()
    said(out, tmp_path / "up.log")
    assert out.getvalue() == "a detail\nwhat matters\n"


@pytest.mark.parametrize(("name", "value"), [("VERBOSE", "1"), ("TERM", "dumb")])
def test_every_line_can_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    out = Terminal()
    said(out, tmp_path / "up.log")
    assert out.getvalue() == "a detail\nwhat matters\n"


def test_a_terminal_of_80_columns_breaks_no_word_and_loses_none(tmp_path: Path) -> None:
    out = Terminal()
    screen = Console(tmp_path / "up.log", out)
    long = "word " * 40
    screen.tell(f"{long}\nshort")
    screen.close()
    shown = out.getvalue().removesuffix("\r\033[K").removeprefix("\r\033[K")
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.split() == [*long.split(), "short"]
    assert long in (tmp_path / "up.log").read_text()


def test_what_is_broken_goes_on_in_its_column() -> None:
    assert wrapped("  12  route that is long", 20) == "  12  route that is\n      long"
    assert wrapped("ok       a tool that is there", 20) == "ok       a tool that\n         is there"


def test_an_address_stays_whole_to_be_copied() -> None:
    address = f"https://{'x' * 90}.run.app"
    assert address in wrapped(f"  service_urls.llm-backend  {address}", 80).split()


@pytest.mark.parametrize(
    "command",
    [
        "make report STACK=dev",
        "make -C platform CONFIG=.. up STACK=dev",
        "`pulumi cancel --stack prod`",
        "`gcloud auth login`,",
    ],
)
def test_a_command_stays_in_a_line_to_be_copied(command: str) -> None:
    for before in range(40):
        shown = wrapped(f"{'x' * before} do {command} next", 44).splitlines()
        assert [line for line in shown if command in line], shown
        assert max(map(len, shown)) <= 44


def test_a_variable_is_set_in_one_line_however_long() -> None:
    line = f"  export SSL_CERT_FILE=/tmp/{'x' * 90}/authority.pem"
    assert wrapped(line, 80) == line


def test_a_command_longer_than_a_line_is_broken_as_words_are() -> None:
    shown = wrapped(f"run `pulumi up {'--stack prod ' * 5}`, then wait", 40)
    assert max(map(len, shown.splitlines())) <= 40


def test_commands_print_by_what_fits_a_terminal() -> None:
    """JSON and reports in other forms are for programs."""
    allowed = {
        "__init__.py": 1,
        "diff.py": 1,
        "operations.py": 1,
        "policy_report.py": 1,
        "route.py": 2,
    }
    found = {
        file.name: len(re.findall(r"(?<![\w.])print\(", file.read_text()))
        for file in (ROOT / "launcher").glob("*.py")
        if file.name != "console.py"
    }
    assert {name: count for name, count in found.items() if count} == allowed


def test_the_list_of_targets_fits_a_terminal() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert max(map(len, told.stdout.splitlines())) <= 80
    assert "make preview" in told.stdout


def test_what_has_no_words_is_cut_where_it_has_to_be() -> None:
    assert cut("x" * 100, 20) == "x" * 16 + " ..."
    assert cut("short", 20) == "short"
