"""One file an environment: what is wrong in it is told, with the key, the value and the cure."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.proto.analyzer_pb2 import AnalyzerStackConfigureRequest, EnforcementLevel

from launcher.paths import StackPaths
from launcher.problem import LaunchError
from policies import check
from policies.engine.config import PolicyConfigError
from policies.engine.environment import (
    ENVIRONMENTS,
    VARIABLE,
    environments,
    file_of,
    load,
    settings_of,
)
from policies.engine.packs import ALL, rules_of
from policies.engine.server import PackServer

EXEMPTION = {
    "rule": "scale-hpa-max",
    "resource": "kubernetes:autoscaling/v2:HorizontalPodAutoscaler::big",
    "finding": "scales to 50",
    "reason": "The launch of the new model needs room for a month.",
    "owner": "platform@acme.example",
    "expires": "2020-01-01",
}


def problem(tmp_path: Path, change: dict[str, Any], rules: dict[str, Any] | None = None) -> str:
    document: dict[str, Any] = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    document.update(change)
    document["rules"].update(rules or {})
    path = tmp_path / "dev.yaml"
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(PolicyConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


@pytest.mark.parametrize("name", environments())
def test_every_environment_can_be_used(name: str) -> None:
    assert set(settings_of(file_of(name))) == {rule.id for rule in rules_of(ALL)}
    assert check.main([]) == 0


def test_every_stack_has_an_environment() -> None:
    stacks = {path.name.split(".")[1] for path in ENVIRONMENTS.parents[1].glob("Pulumi.*.yaml")}
    assert stacks <= set(environments())


def test_a_misspelled_rule(tmp_path: Path) -> None:
    text = problem(tmp_path, {}, {"iam-no-sa-key": "mandatory"})
    assert "iam-no-sa-key: no rule has that name; did you mean 'iam-no-sa-keys'?" in text


def test_a_misspelled_property(tmp_path: Path) -> None:
    text = problem(tmp_path, {}, {"scale-hpa-max": {"level": "mandatory", "maxReplica": 3}})
    assert "scale-hpa-max.maxReplica: the rule has no such property, allowed: level" in text
    assert "scale-hpa-max.maxReplicas: not set" in text


@pytest.mark.parametrize("value", [-1, "ten", None, True, [1], float("inf")])
def test_a_limit_that_is_no_limit(tmp_path: Path, value: object) -> None:
    text = problem(tmp_path, {}, {"scale-hpa-max": {"level": "mandatory", "maxReplicas": value}})
    assert "scale-hpa-max.maxReplicas: found" in text
    assert "allowed: a number, 0 or more" in text


def test_a_level_that_is_none(tmp_path: Path) -> None:
    text = problem(tmp_path, {}, {"iam-no-sa-keys": "loud"})
    assert "iam-no-sa-keys.level: found 'loud', allowed: advisory, mandatory, disabled" in text


def test_a_rule_that_cannot_remediate(tmp_path: Path) -> None:
    text = problem(tmp_path, {"remediate": ["iam-no-sa-keys"]})
    assert re.search(
        r"remediate\[0\]: found 'iam-no-sa-keys', allowed: rules that can remediate, .*data-gcs",
        text,
    )


def test_an_exemption_of_no_rule(tmp_path: Path) -> None:
    text = problem(tmp_path, {"exemptions": [{**EXEMPTION, "rule": "scale-hpa"}]})
    assert "exemptions[0].rule: found 'scale-hpa'" in text


def test_an_exemption_without_an_owner(tmp_path: Path) -> None:
    entry = {key: value for key, value in EXEMPTION.items() if key != "owner"}
    text = problem(tmp_path, {"exemptions": [entry]})
    assert "exemptions[0].owner: not set" in text


@pytest.mark.parametrize(
    "change", [{"extra": 1}, {"rules": []}, {"exemptions": "none"}, {"remediate": {}}]
)
def test_a_file_of_another_shape(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "dev.yaml"
    document = {**yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text()), **change}
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(PolicyConfigError, match=next(iter(change))):
        load(path)


@pytest.mark.parametrize("text", ["", "[]", "rules: {a: 1, a: 2}", "{", "rules:"])
def test_a_file_that_is_no_environment(tmp_path: Path, text: str) -> None:
    path = tmp_path / "dev.yaml"
    path.write_text(text)
    with pytest.raises(PolicyConfigError, match=r"dev\.yaml"):
        load(path)


def test_an_environment_without_a_file() -> None:
    with pytest.raises(PolicyConfigError, match="no environment named 'nowhere'"):
        load(file_of("nowhere"))


def test_an_expired_exemption_and_a_remediation_reach_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    document["exemptions"] = [EXEMPTION]
    document["remediate"] = ["data-gcs-private"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "own.yaml"))
    server = PackServer(ALL)
    server.ConfigureStack(AnalyzerStackConfigureRequest(stack="dev"), None)
    config = server.GetAnalyzerInfo(None, None).initialConfig
    assert config["data-gcs-private"].enforcementLevel == EnforcementLevel.Value("REMEDIATE")
    (entry,) = config["scale-hpa-max"].properties["exemptions"]
    assert entry["owner"] == "platform@acme.example"
    assert set(config) == {rule.id for rule in rules_of(ALL)}


def test_the_file_of_an_environment_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_of("qa") == ENVIRONMENTS / "qa.yaml"
    monkeypatch.setenv(VARIABLE, "/elsewhere/own.yaml")
    assert file_of("qa") == Path("/elsewhere/own.yaml")
    monkeypatch.setenv(VARIABLE, "own.yaml")
    with pytest.raises(PolicyConfigError, match=r"POLICY_ENVIRONMENT: found 'own.yaml', allowed:"):
        file_of("qa")


def test_a_stack_without_an_environment_does_not_start(tmp_path: Path) -> None:
    places = StackPaths(stack="qa", config=tmp_path / "Pulumi.qa.yaml", home=tmp_path)
    with pytest.raises(LaunchError, match=r"no environment named 'qa', there are: dev, .+; copy"):
        places.policy_packs()
