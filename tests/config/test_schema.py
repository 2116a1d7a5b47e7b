"""The JSON schema for editors: up to date, valid, and of one mind with the models."""

from __future__ import annotations

import json
from typing import Any, cast

import jsonschema
import pytest

from catalog import strict_yaml
from catalog.problems import KeyPath
from config import schema
from tests.config.samples import REMOVED, ROOT, at, changed, places, values

SCHEMA: dict[str, Any] = json.loads(schema.FILE.read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def errors(document: Any) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(document)]


def test_schema_file_is_up_to_date() -> None:
    assert schema.FILE.read_text() == schema.text(), "run `python -m config.schema`"


def test_command_checks_and_writes(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "FILE", tmp_path / "schema.json")
    assert schema.main(["--check"]) == 1
    assert "schema.json: not what the code says" in capsys.readouterr().err
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_stack_files_fit(path: Any) -> None:
    assert errors(cast("Any", strict_yaml.load(path.read_text()))) == []
    assert path.read_text().startswith("# yaml-language-server: $schema=config/schema.json\n")


def test_a_file_pulumi_wrote_fits() -> None:
    config = {f"inference:{key}": value for key, value in values().items()}
    config["gcp:project"] = "acme"
    assert errors({"config": config, "encryptionsalt": "v1:abc"}) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("models", REMOVED),
        ("modles", {}),
        ("environment", "Dev"),
        ("inference:modles", {}),
        ("regions|mars", {}),
        ("regions|us-central1|nodes", "10.0.0.0"),
        ("gpu_pools|L4", {}),
        ("gpu_pools|l4|machine_type", "g2-standard-5"),
        ("models|qwen3-4b|replica_sets|0|gpus", 3),
        ("pipelines|sentiment|retention_days", 32),
        ("perimeter|ingress|0|from|identity_type", "ANYONE"),
    ],
)
def test_editors_mark_mistakes(path: str, value: object) -> None:
    assert errors({"config": changed((path, value))}) != []


def undescribed(part: str) -> list[KeyPath]:
    """Return paths of properties without a description."""
    return [
        path
        for path in places(SCHEMA[part])
        if len(path) > 1
        and path[-2] == "properties"
        and "description" not in at(SCHEMA[part], path)
    ]


@pytest.mark.parametrize("part", ["$defs", "properties"])
def test_every_key_is_described(part: str) -> None:
    assert undescribed(part) == []
