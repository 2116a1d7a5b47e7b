"""The packs as a whole: which rules, in which files, with which metadata and tables."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from policies import check, readme
from policies.engine.config import LEVEL, PolicyConfigError, effective, read_settings
from policies.engine.environment import ENVIRONMENTS, environments, load
from policies.engine.packs import ALL, packs, rules_of, version_of
from policies.engine.server import PackServer
from policies.shared.limits import NumberLimit
from policies.shared.rule import AnyRule
from tests.policies.harness import RULES

POLICIES = Path(__file__).resolve().parents[2] / "policies"
PROD = load(ENVIRONMENTS / "prod.yaml")
LIMITED = [rule for rule in RULES.values() if rule.limits]
FOLDERS = ("policies", "cost", "catalog", "request_path", "resources")


def in_a_copy(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program where only what another repository takes is."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        shutil.copytree(POLICIES.parent / folder, tmp_path / folder)
    return tmp_path


def test_the_packs_need_nothing_of_the_platform(copy: Path) -> None:
    """Five folders and the libraries of requirements.txt are all that another program takes."""
    program = (
        "import sys, policies.engine.server, policies.check, policies.report\n"
        "own = {'components', 'config', 'emulator', 'launcher', 'sandbox', 'stacks'}\n"
        "own |= {'pulumi_gcp', 'pydantic'}\n"
        "failed = policies.check.main([])\n"
        "print(own & {name.partition('.')[0] for name in sys.modules})\n"
        "sys.exit(failed)"
    )
    done = in_a_copy(copy, program)
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr


def test_the_tables_of_rules_are_what_the_rules_say() -> None:
    """They pin every id and level: what vanishes or is turned off shows in a README."""
    assert readme.main(["--check"]) == 0
    rows = [
        row
        for pack in packs()
        for row in re.findall(
            r"^\| `([a-z0-9-]+)`", (POLICIES / pack / "README.md").read_text(), re.M
        )
    ]
    assert sorted(rows) == sorted(RULES)
    assert len(rows) >= 108


@pytest.mark.parametrize("change", ["a rule is gone", "a level differs", "an environment differs"])
def test_what_vanishes_or_is_turned_off_is_told(copy: Path, change: str) -> None:
    rule = copy / "policies" / "rules" / "least_privilege" / "iam_no_sa_keys.py"
    if change == "a rule is gone":
        rule.unlink()
    elif change == "a level differs":
        rule.write_text(
            rule.read_text().replace("EnforcementLevel.MANDATORY", "EnforcementLevel.ADVISORY")
        )
    else:
        file = copy / "policies" / "environments" / "prod.yaml"
        file.write_text(
            file.read_text().replace("rules:\n", "rules:\n  iam-no-sa-keys: disabled\n")
        )
    program = "import sys, policies.readme; sys.exit(policies.readme.main(['--check']))"
    done = in_a_copy(copy, program)
    assert done.returncode == 1
    assert "least-privilege/README.md: not what the code says" in done.stderr
    assert done.stderr.count("README.md") == 1


@pytest.mark.parametrize("pack", sorted(packs()))
def test_a_file_is_named_like_its_rule(pack: str) -> None:
    folder = POLICIES / "rules" / pack.replace("-", "_")
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {rule.id.replace("-", "_") for rule in packs()[pack]}


@pytest.mark.parametrize("pack", [*sorted(packs()), ALL])
def test_the_engine_is_told_the_version_and_the_default_levels(pack: str) -> None:
    info = PackServer(pack).GetAnalyzerInfo(None, None)
    assert info.version == version_of(pack)
    levels = {1: "mandatory", 0: "advisory", 2: "disabled"}
    found = {each.name: levels[each.enforcementLevel] for each in info.policies}
    assert found == {rule.id: rule.level.value for rule in rules_of(pack)}


@pytest.mark.parametrize("rule", RULES.values(), ids=sorted(RULES))
def test_every_rule_explains_itself(rule: AnyRule) -> None:
    assert rule.display_name
    assert re.fullmatch(r"https://\S+", rule.url)
    for sentence in (rule.description, rule.why, rule.remediation):
        assert sentence.endswith("."), rule.id


@pytest.mark.parametrize("rule", LIMITED, ids=[rule.id for rule in LIMITED])
def test_a_default_is_one_the_limit_accepts(rule: AnyRule) -> None:
    for limit in rule.limits:
        assert limit.default is None or limit.accepts(limit.default), limit.name


def refused(rule: AnyRule, changes: Mapping[str, Any]) -> str:
    config = {**PROD[rule.id], **changes}
    with pytest.raises(PolicyConfigError) as caught:
        read_settings([rule], {rule.id: config})
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1, "-1"),
        ("many", "'many'"),
        (True, "true"),
        (None, "nothing"),
        ([3], "a list"),
        (float("nan"), "nan"),
    ],
)
@pytest.mark.parametrize("rule", LIMITED, ids=[rule.id for rule in LIMITED])
def test_a_limit_that_is_none_fails_closed(rule: AnyRule, value: Any, said: str) -> None:
    limit = rule.limits[0]
    text = refused(rule, {LEVEL: "mandatory", limit.name: value})
    assert f"{rule.id}.{limit.name}: found {said}, allowed: {limit.allowed()}" in text
    assert isinstance(limit, NumberLimit) or "a list of" in text


@pytest.mark.parametrize("rule", LIMITED, ids=[rule.id for rule in LIMITED])
def test_a_limit_without_a_default_must_be_given(rule: AnyRule) -> None:
    needed = [limit for limit in rule.limits if limit.default is None]
    config = {rule.id: {LEVEL: "mandatory"}}
    if not needed:
        assert read_settings([rule], config)[rule.id].level == "mandatory"
        return
    with pytest.raises(PolicyConfigError) as caught:
        read_settings([rule], config)
    for limit in needed:
        assert f"{rule.id}.{limit.name}: not set, allowed: {limit.allowed()}" in str(caught.value)
    assert read_settings([rule], {rule.id: {LEVEL: "disabled"}})[rule.id].level == "disabled"


def test_a_property_that_is_misspelled_fails_closed() -> None:
    text = refused(RULES["scale-hpa-max"], {"maxReplica": 1})
    assert "scale-hpa-max.maxReplica: the rule has no such property, allowed: level, max" in text


@pytest.mark.parametrize(
    ("level", "said"),
    [("loud", "'loud'"), ("remediate", "'remediate'"), (None, "nothing"), (["x"], "a list")],
)
def test_a_level_that_is_none_fails_closed(level: object, said: str) -> None:
    text = refused(RULES["scale-resources-set"], {LEVEL: level})
    assert f"scale-resources-set.level: found {said}, allowed: advisory, mandatory" in text


@pytest.mark.parametrize("name", environments())
def test_the_effective_table_of_an_environment_can_be_printed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ENVIRONMENTS / f"{name}.yaml"
    assert check.main(["--table", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == sorted(RULES)
    config = load(file)
    assert [line.split()[2] for line in lines] == [config[each][LEVEL] for each in sorted(RULES)]


def test_a_rule_that_an_environment_does_not_name_has_its_defaults(tmp_path: Path) -> None:
    text = (ENVIRONMENTS / "dev.yaml").read_text()
    assert "iam-no-sa-keys" not in text
    found = load(ENVIRONMENTS / "dev.yaml")
    rule = RULES["iam-no-sa-keys"]
    assert found[rule.id] == effective([rule], {})[rule.id] == {LEVEL: "mandatory"}
    own = tmp_path / "own.yaml"
    own.write_text(text.replace("rules:\n", "rules:\n  iam-no-sa-keys: advisory\n"))
    assert load(own) == {**found, rule.id: {LEVEL: "advisory"}}
