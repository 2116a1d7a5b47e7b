"""Whatever is wrong with the policy config is said at every entry, and nothing goes ahead."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from launcher import policy_report
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from policies import check
from policies.engine.environment import ENVIRONMENTS, VARIABLE

DEV = ENVIRONMENTS / "dev.yaml"
EXEMPTION = {
    "rule": "scale-hpa-max",
    "resource": "stack",
    "finding": "scales to 50",
    "reason": "The launch of the new model needs room for a month.",
    "owner": "platform@acme.example",
    "expires": "2020-01-01",
}
# What is wrong: a change of dev's rules or file, or a whole text; and what is said of it.
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "a rule that is misspelled": (
        {"rules": {"iam-no-sa-key": "mandatory"}},
        "iam-no-sa-key: no rule has that name; did you mean 'iam-no-sa-keys'?",
    ),
    "a property that is misspelled": (
        {"rules": {"scale-hpa-max": {"level": "mandatory", "maxReplica": 3}}},
        "scale-hpa-max.maxReplica: the rule has no such property",
    ),
    "a limit that is left out": (
        {"rules": {"scale-hpa-max": "mandatory"}},
        "scale-hpa-max.maxReplicas: not set, allowed: a number, 0 or more",
    ),
    "a limit below zero": (
        {"rules": {"scale-hpa-max": {"level": "mandatory", "maxReplicas": -1}}},
        "found -1, allowed: a number, 0 or more",
    ),
    "a limit in words": (
        {"rules": {"scale-hpa-max": {"level": "mandatory", "maxReplicas": "ten"}}},
        "found 'ten', allowed: a number, 0 or more",
    ),
    "a name where a list belongs": (
        {"rules": {"scale-gpu-types-allowed": {"level": "mandatory", "gpuTypes": "nvidia-l4"}}},
        "found 'nvidia-l4', allowed: a list of ",
    ),
    "a level in a list": (
        {"rules": {"iam-no-sa-keys": ["mandatory"]}},
        "level: found a list",
    ),
    "the engine's own word for a level": (
        {"rules": {"iam-no-sa-keys": {"level": "mandatory", "enforcementLevel": "disabled"}}},
        "iam-no-sa-keys.enforcementLevel: the rule has no such property, allowed: level",
    ),
    "a remediation in a list": (
        {"remediate": [["data-gcs-private"]]},
        "remediate[0]: found a",
    ),
    "a key that no environment has": ({"limits": {}}, "limits: no such key"),
    "an exemption without a reason": (
        {"exemptions": [{key: each for key, each in EXEMPTION.items() if key != "reason"}]},
        "exemptions[0].reason: not set",
    ),
    "an exemption for too long": (
        {"exemptions": [{**EXEMPTION, "expires": "2999-01-01"}]},
        "exemptions[0].expires: found '2999-01-01'",
    ),
    "an exemption from what has none": (
        {"exemptions": [{**EXEMPTION, "rule": "iam-no-public-members"}]},
        "iam-no-public-members has no exemptions",
    ),
    "an exemption that is a word": ({"exemptions": ["all"]}, "exemptions[0]: found 'all'"),
}
TEXTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "found nothing"),
    "a list": (b"- a", "found a list, allowed: a mapping with rules"),
    "a word": (b"all", "found 'all'"),
    "broken YAML": (b"rules: {", "cannot be read"),
    "a key that is there twice": (
        DEV.read_bytes() + b"remediate: []\n",
        "the key 'remediate' was already given",
    ),
    "a limit that is no number": (
        DEV.read_bytes().replace(b"maxReplicas: 10", b"maxReplicas: .nan"),
        "found '.nan', allowed: a number",
    ),
    "a limit without end": (
        DEV.read_bytes().replace(b"maxReplicas: 10", b"maxReplicas: .inf"),
        "found '.inf', allowed: a number",
    ),
    "bytes that are no text": (b"rules: \xff\xfe", "cannot be read"),
    "a character that no YAML has": (b"rules: \x00", "cannot be read"),
    "a number that is too long": (
        DEV.read_bytes().replace(b"maxReplicas: 10", b"maxReplicas: " + b"9" * 5000),
        "a number that is too long",
    ),
}


def started(*_: object) -> None:
    pytest.fail("the engine was started")


def changed(change: dict[str, Any]) -> bytes:
    document: dict[str, Any] = yaml.safe_load(DEV.read_text())
    document["rules"] |= change.get("rules", {})
    document |= {key: each for key, each in change.items() if key != "rules"}
    return yaml.safe_dump(document).encode()


BAD = {**{name: (changed(change), said) for name, (change, said) in CHANGES.items()}, **TEXTS}


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_check(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the checker; return its exit code, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = check.main(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.mark.parametrize("name", BAD)
def test_the_checker_names_the_file_and_what_is_wrong(
    name: str, tmp_path: Path, run_check: Run
) -> None:
    text, said = BAD[name]
    path = tmp_path / "dev.yaml"
    path.write_bytes(text)
    code, _, errors = run_check(str(path))
    assert code == 1
    assert str(path) in errors
    assert said in errors
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", BAD)
def test_the_report_does_not_start_the_engine(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, said = BAD[name]
    (tmp_path / "dev.yaml").write_bytes(text)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "dev.yaml"))
    monkeypatch.setattr(policy_report, "opened", started)
    places = StackPaths(stack="dev", config=ROOT / "Pulumi.dev.yaml", home=tmp_path / "home")
    with pytest.raises(LaunchError) as caught:
        policy_report.policy(places, "sandbox", "text", None)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path, run_check: Run) -> None:
    for path in (tmp_path / "none.yaml", tmp_path / "folder.yaml"):
        if path.name.startswith("folder"):
            path.mkdir()
        code, _, errors = run_check(str(path))
        assert code == 1
        assert f"{path}: cannot be read" in errors


def test_an_option_that_is_misspelled() -> None:
    command = [sys.executable, "-m", "policies.check", "--wrote"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unrecognized arguments: --wrote" in done.stderr


def test_an_environment_of_ones_own_is_kept_anywhere(tmp_path: Path, run_check: Run) -> None:
    path = tmp_path / "staging.yaml"
    path.write_text(DEV.read_text())
    assert run_check(str(path)) == (0, "", "")
    _, printed, _ = run_check("--table", str(path))
    assert "staging  iam-no-sa-keys                   mandatory" in printed


def test_the_report_of_an_environment_without_a_file(tmp_path: Path) -> None:
    places = StackPaths(stack="qa", config=tmp_path / "Pulumi.qa.yaml", home=tmp_path / "home")
    with pytest.raises(LaunchError, match="no environment named 'qa'"):
        policy_report.policy(places, "sandbox", "text", None)
