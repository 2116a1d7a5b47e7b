"""Schemas for editors of the files that people write beside a stack file: of one mind with them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from catalog import strict_yaml
from policies.engine.environment import ENVIRONMENTS
from tests.policies.test_bad_input import CHANGES, changed
from tests.sandbox.test_existing import MISTAKES

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")
FILES = [
    *ENVIRONMENTS.glob("*.yaml"),
    *ROOT.glob("sandbox.*.yaml"),
    ROOT / "identity" / "Pulumi.dev.yaml",
    ROOT / "identity" / "policies.yaml",
]
# What editors can't tell: days from today on, and properties of a type that no page names.
UNMARKED = {
    "an exemption for too long",
    "a property that is no text",
    "a property misspelt",
    "a value of another kind",
    "no name",
    "no project",
    "an id that is no text",
    "a type of another provider",
}


def marks(schema: Path, document: Any) -> list[str]:
    return [each.json_path for each in _validator(schema.resolve()).iter_errors(document)]


@cache
def _validator(schema: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.read_text()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_names_the_schema_that_it_fits(file: Path) -> None:
    text = file.read_text()
    named = NAMED.match(text)
    assert named, f"{file.name} names no schema in its first line"
    assert marks(file.parent / named[1], strict_yaml.load(text)) == []


def test_what_the_pages_show_of_existing_things_fits() -> None:
    pages = [each.read_text() for each in (ROOT / "docs").rglob("*.md")]
    page = "\n".join(pages)
    schemas = ROOT / "sandbox" / "schemas"
    kinds = {"sandbox": "existing.json", "import": "import.json"}
    shown = re.findall(r"```yaml\n# (sandbox|import)\.\w+\.yaml.*\n([^`]*)```", page)
    assert {kind for kind, _ in shown} == {*kinds}
    for kind, text in shown:
        assert marks(schemas / kinds[kind], strict_yaml.load(text)) == []
    described = json.loads((schemas / "existing.json").read_text())["properties"]["existing"]
    for name in set(re.findall(r"`((?:kubernetes:)?\w+[.:/]\S*[A-Z]\w+)`", page)):
        if name in described["properties"]:
            assert "items" in described["properties"][name], f"{name} has no properties to complete"


@pytest.mark.parametrize("mistake", sorted({*CHANGES} - UNMARKED))
def test_editors_mark_what_an_environment_is_refused_for(mistake: str) -> None:
    document = yaml.safe_load(changed(CHANGES[mistake][0]))
    assert marks(ENVIRONMENTS.parent / "schema.json", document) != []


@pytest.mark.parametrize("mistake", sorted({*MISTAKES} - UNMARKED))
def test_editors_mark_what_a_file_of_existing_things_is_refused_for(mistake: str) -> None:
    document = MISTAKES[mistake]["document"]
    assert marks(ROOT / "sandbox" / "schemas" / "existing.json", _text_keys(document)) != []


@pytest.mark.parametrize(
    "document",
    [
        {"imports": {}},
        {"import": []},
        {"import": {"storage.Buckets": {}}},
        {"import": {"storage.Bucket": ["lake-bucket"]}},
        {"import": {"storage.Bucket": {"lake-bucket": 5}}},
        {"import": {"pubsub.Topic": {"orders": ""}}},
    ],
)
def test_editors_mark_what_an_import_is_refused_for(document: object) -> None:
    assert marks(ROOT / "sandbox" / "schemas" / "import.json", document) != []


def _text_keys(value: Any) -> Any:
    """Return a document as JSON has it."""
    return json.loads(json.dumps(value))
