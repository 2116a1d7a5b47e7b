"""What is mistyped after `make` is told in make's words, before anything is done."""

from types import ModuleType

import pytest

from launcher import cli, diff, fit, route


@pytest.mark.parametrize(
    ("program", "words", "told"),
    [
        (cli, "up --cloud=aws", "CLOUD: found 'aws'; allowed: sandbox, gcp"),
        (cli, "policy --format=xml", "FORMAT: found 'xml'; allowed: text, json, sarif, markdown"),
        (cli, "serve --port=http", "PORT: found 'http'; allowed: a number"),
        (fit, "--model=x --context=0", "CONTEXT: found '0', allowed: a whole number above 0"),
        (route, "--path=v1", "PATH: found 'v1', which is no path; begin it with /"),
    ],
)
def test_a_value_that_is_not_allowed(
    program: ModuleType, words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(words.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"error: {told}\n"


@pytest.mark.parametrize(("to", "found"), [("nowhere", "'nowhere'"), ("", "''"), ("a.json", "'a")])
def test_a_side_of_a_difference_that_is_nothing(
    to: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diff.main(["--from=dev", f"--to={to}"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: TO: found {found}")
    assert "allowed: dev, " in told
