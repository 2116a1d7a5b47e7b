"""One file an environment: what is wrong in it is told, with the key, the value and the cure."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from launcher.places import StackPlaces
from launcher.problem import LaunchError
from policies import check, environment
from policies.environment import ENVIRONMENTS, config_files, environments, load, settings
from policies.rules.config import PolicyConfigError
from policies.rules.packs import ALL, PACKS

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
def test_every_pack_has_its_config_in_every_environment(name: str) -> None:
    assert set(config_files(name)) == {
        environment.FOLDER / pack / f"{name}.json" for pack in (*PACKS, ALL)
    }
    assert settings(name)


def test_every_stack_has_an_environment() -> None:
    stacks = {path.name.split(".")[1] for path in ENVIRONMENTS.parents[1].glob("Pulumi.*.yaml")}
    assert stacks <= set(environments())


def test_a_misspelled_rule(tmp_path: Path) -> None:
    text = problem(tmp_path, {}, {"iam-no-sa-key": "mandatory"})
    assert "iam-no-sa-key: no rule of this pack has that name" in text


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


def test_a_rule_that_cannot_mend(tmp_path: Path) -> None:
    text = problem(tmp_path, {"remediate": ["iam-no-sa-keys"]})
    assert re.search(r"remediate: found 'iam-no-sa-keys', rules that can mend: .*data-gcs", text)


def test_an_exemption_of_no_rule(tmp_path: Path) -> None:
    text = problem(tmp_path, {"exemptions": [{**EXEMPTION, "rule": "scale-hpa"}]})
    assert "exemptions[0].rule: found 'scale-hpa'" in text


def test_an_exemption_without_an_owner(tmp_path: Path) -> None:
    entry = {key: value for key, value in EXEMPTION.items() if key != "owner"}
    text = problem(tmp_path, {"exemptions": [entry]})
    assert "scale-hpa-max.exemptions[0].owner: not set" in text


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
    with pytest.raises(PolicyConfigError, match="no environment named 'staging'"):
        settings("staging")


def test_an_expired_exemption_and_a_remedy_reach_the_engines_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    document["exemptions"] = [EXEMPTION]
    document["remediate"] = ["data-gcs-private"]
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr(environment, "ENVIRONMENTS", tmp_path)
    made = config_files("dev")
    text = made[environment.FOLDER / "baseline" / "dev.json"]
    assert '"enforcementLevel": "remediate"' in text
    assert '"owner": "platform@acme.example"' in made[environment.FOLDER / ALL / "dev.json"]


def test_files_that_differ_from_the_environment_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    document["rules"]["scale-hpa-max"]["maxReplicas"] = 11
    (tmp_path / "dev.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr(environment, "ENVIRONMENTS", tmp_path)
    assert check.main([]) == 1
    assert "run `python -m policies.check --write`" in capsys.readouterr().err
    places = StackPlaces(stack="dev", config=tmp_path / "Pulumi.dev.yaml", home=tmp_path)
    with pytest.raises(LaunchError, match=r"not what .*/environments/dev\.yaml says"):
        places.policy_configs()


def test_the_files_written_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(ENVIRONMENTS / "dev.yaml", tmp_path / "qa.yaml")
    arguments = ["--write", str(tmp_path / "qa.yaml")]
    assert check.main(arguments) == 0
    assert f"wrote {tmp_path / ALL / 'qa.json'}\n" in capsys.readouterr().out
    assert check.main(arguments) == 0
    assert capsys.readouterr().out == ""
