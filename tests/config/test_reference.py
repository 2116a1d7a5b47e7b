"""The reference of a stack file: every key with what it means, and an example that loads."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest

from config import examples, reference, schema
from config.examples import configs, example
from config.keys import keys
from config.load import from_mapping
from tests.config.samples import ROOT

KEYS = [*keys()]
# What the examples name beside what is in the repository.
FILES = {
    "certificates/inference.pem": "tests/config/certificates/dev.pem",
    "weights/config.json": "tests/config/weights/config.json",
    "services/llm_backend/openapi.yaml": "services/llm_backend/openapi.yaml",
}


@pytest.mark.parametrize("name", configs())
def test_the_examples_load(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for named, file in FILES.items():
        (tmp_path / named).parent.mkdir(parents=True)
        shutil.copy(ROOT / file, tmp_path / named)
    monkeypatch.setenv("INFERENCE_CONFIG", str(tmp_path))
    from_mapping(configs()[name], "Pulumi.test.yaml")


def test_the_schema_has_an_example_of_every_key_that_fits_it() -> None:
    document: dict[str, Any] = schema.schema()
    places = {**document["$defs"], "Platform": document["properties"]["config"]}
    found = 0
    for name, definition in places.items():
        for key, value in definition.get("properties", {}).items():
            (shown,) = value["examples"]
            whole = {**value, "$defs": document["$defs"]}
            wrong = [*jsonschema.Draft202012Validator(whole).iter_errors(shown)]
            assert wrong == [], (name, key)
            found += ":" not in key
    assert found == len({(key.model, key.name) for key in KEYS})


def test_a_key_without_example_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {**configs()["platform.yaml"]}
    del whole["budget"]
    monkeypatch.setattr(examples, "configs", lambda: {"platform.yaml": whole})
    (budget,) = (key for key in KEYS if key.path == ("budget",))
    with pytest.raises(ValueError, match=r"^budget has no example: add one to .*config/examples$"):
        example(budget)


def test_null_takes_a_key_away_from_what_an_example_is_laid_over() -> None:
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    assert examples.laid_over(below, {"a": {"b": None, "c": [3]}}) == {"a": {"c": [3]}, "d": 2}


def test_the_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().err


def test_every_key_has_a_row() -> None:
    pages = reference.pages()
    for key in KEYS:
        area = key.path[0] if len(key.path) > 1 else "README"
        assert f"| `{key.name}` |" in pages[reference.FOLDER / f"{area}.md"], key.path


def test_links_lead_to_sections() -> None:
    pages = reference.pages()
    anchors = {
        (file.name, re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-"))
        for file, text in pages.items()
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for file, text in pages.items():
        for page, anchor in re.findall(r"\]\((\w*(?:\.md)?)#([^)]+)\)", text):
            assert (page or file.name, anchor) in anchors


def test_versions_are_those_of_the_changelog() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text().lower()
    for version in re.findall(r'^"(.*)":$', reference.VERSIONS.read_text(), re.MULTILINE):
        assert f"## [{version}]" in changes


def test_a_new_key_is_written_as_unreleased_and_a_gone_one_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "since.yaml"
    text = reference.VERSIONS.read_text()
    table.write_text(text.replace("environment project ", "project bygone "))
    monkeypatch.setattr(reference, "VERSIONS", table)
    wanted = cast("dict[Path, str]", reference.pages())[table]
    assert "bygone" not in wanted
    assert "environment" in wanted.partition('"unreleased":')[2]
