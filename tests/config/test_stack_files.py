"""The committed stack files, and what is said of files that cannot be used."""

from pathlib import Path
from typing import Any, cast

import pytest

from catalog import strict_yaml
from config.errors import ConfigError
from config.load import from_file
from config.platform import Platform
from config.stack_file import PROJECT
from tests.config.samples import ROOT

STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_stack_file_loads(path: Path) -> None:
    assert path.name == f"Pulumi.{from_file(path).environment}.yaml"


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_stack_file_says_nothing_is_made_by_default_providers(path: Path) -> None:
    assert "pulumi:disable-default-providers: [gcp, kubernetes]" in path.read_text()


def test_there_is_a_development_and_a_production_stack() -> None:
    assert {"Pulumi.dev.yaml", "Pulumi.prod.yaml"} <= {path.name for path in STACKS}


def test_pulumi_yaml_declares_every_key() -> None:
    project = cast("dict[str, Any]", strict_yaml.load((ROOT / "Pulumi.yaml").read_text()))
    declared = project["config"]
    assert list(declared) == list(Platform.model_fields)
    for name, field in Platform.model_fields.items():
        described = str(field.description).split()
        assert declared[name]["description"].split() == described
        # Pulumi refuses a stack without a declared key that has no default.
        assert ("default" in declared[name]) == (not field.is_required()), name
    assert project["name"] == PROJECT


def rewritten(text: str) -> str:
    """Return the file as Pulumi writes it back: with namespaces, and switches as text."""
    lines = [
        f"  {PROJECT}:{line.strip()}" if line[:2] == "  " and line[2].isalpha() else line
        for line in text.splitlines()
    ]
    return (
        "\n".join(lines)
        .replace(f"{PROJECT}:pulumi:", "pulumi:")
        .replace("deletion_protection: false", 'deletion_protection: "false"')
    )


def test_a_file_pulumi_wrote_means_the_same(tmp_path: Path) -> None:
    path = ROOT / "Pulumi.dev.yaml"
    copy = tmp_path / "Pulumi.dev.yaml"
    copy.write_text(f"{rewritten(path.read_text())}\nencryptionsalt: v1:abc=\n")
    assert 'inference:deletion_protection: "false"' in copy.read_text()
    assert from_file(copy) == from_file(path)


MAPPING = "allowed: a mapping with config:"
REFUSED = {
    "empty": ("", f"found an empty file; {MAPPING}; add config: and the keys"),
    "only comments": ("# nothing\n", f"found an empty file; {MAPPING}; add config: and the keys"),
    "a list": ("- a\n", f"found a list; {MAPPING}; start with config:"),
    "a text": ("config\n", f"found 'config'; {MAPPING}; start with config:"),
    "no config": (
        "encryptionsalt: v1:abc\n",
        "config: found nothing; allowed: a mapping; put the environment's keys below it",
    ),
    "config is a list": (
        "config: [a]\n",
        "config: found a list; allowed: a mapping; put the environment's keys below it",
    ),
    "broken": (
        "config:\n  project: {id: a\n",
        (
            "found broken YAML in line 3, column 1 (expected ',' or '}', but got '<stream end>');"
            " allowed: YAML with each key once; fix that line"
        ),
    ),
    "a key twice": (
        "config:\n  project: {id: a}\n  gateway: {}\n  project: {id: b}\n",
        (
            "found broken YAML in line 4, column 3 (the key 'project' was already given on line 2);"
            " allowed: YAML with each key once; fix that line"
        ),
    ),
    "a region twice": (
        "config:\n  regions:\n    us-east4: {}\n    us-east4: {}\n",
        (
            "found broken YAML in line 4, column 5 (the key 'us-east4' was already given on line"
            " 3); allowed: YAML with each key once; fix that line"
        ),
    ),
    "a consumer's region twice": (
        "config:\n  consumers: {apps: {subnets: {us-east4: a, us-east4: b}}}\n",
        (
            "found broken YAML in line 2, column 45 (the key 'us-east4' was already given on line"
            " 2); allowed: YAML with each key once; fix that line"
        ),
    ),
    "two documents": (
        "config: {}\n---\nconfig: {}\n",
        (
            "found broken YAML in line 2, column 1 (expected a single document in the stream, but"
            " found another document); allowed: YAML with each key once; fix that line"
        ),
    ),
    "a control character": (
        'config:\n  gateway:\n    hostname: "acme\x1b[31m"\n',
        (
            "found broken YAML in line 3, column 20 (the control character U+001B after 'hostname:"
            " \"acme'); allowed: YAML with each key once; fix that line"
        ),
    ),
    "aliases of aliases": (
        "config: {a: &a [1, 2, 3], b: &b [*a, *a, *a, *a, *a], c: [" + "*b, " * 100 + "]}\n",
        (
            "found broken YAML in line 1, column 243 (aliases that stand for more than 1000 values"
            " in config.c[46]); allowed: YAML with each key once; fix that line"
        ),
    ),
    "deep lists": (
        f"config:\n  models:\n    a: {'[' * 500}{']' * 500}\n",
        (
            "found broken YAML in line 3, column 38 (nested too deep in config.models.a[0]);"
            " allowed: YAML with each key once; fix that line"
        ),
    ),
    "a letter that looks like another": (
        "config: {}\n\u0441onfig: {}\n",
        (
            '["\u0441onfig"]: found an unknown key with U+0441 (cyrillic small letter es) at the'
            " top level; allowed: config, environment, secretsprovider, encryptedkey,"
            " encryptionsalt; did you mean 'config'?"
        ),
    ),
    "a tag": (
        "config: !!python/name:os.system {}\n",
        (
            "found broken YAML in line 1, column 9 (could not determine a constructor for the tag"
            " 'tag:yaml.org,2002:python/name:os.system'); allowed: YAML with each key once; fix"
            " that line"
        ),
    ),
    "a key with and without namespace": (
        "config: {environment: a, 'inference:environment': b}\n",
        (
            "environment: found the key twice, also as 'inference:environment'; allowed: each key"
            " once; remove one of them"
        ),
    ),
    "our key at the top": (
        "config: {}\nmodels: {}\n",
        (
            "models: found an unknown key at the top level; allowed: config, environment,"
            " secretsprovider, encryptedkey, encryptionsalt; move it below config:"
        ),
    ),
    "a misspelt key at the top": (
        "confg: {}\nconfig: {}\n",
        (
            "confg: found an unknown key at the top level; allowed: config, environment,"
            " secretsprovider, encryptedkey, encryptionsalt; did you mean 'config'?"
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_file(tmp_path: Path, name: str) -> None:
    text, line = REFUSED[name]
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        from_file(path)
    assert str(error.value) == f"Pulumi.x.yaml: {line}"


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    with pytest.raises(ConfigError) as error:
        from_file(path)
    expected = f"Pulumi.x.yaml: found no such file; allowed: a stack file; create it: {path}"
    assert str(error.value) == expected


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"^Pulumi\.x\.yaml: found a file that cannot be read"):
        from_file(path)


def test_keys_of_other_namespaces_are_left_to_pulumi(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    text = (ROOT / "Pulumi.dev.yaml").read_text()
    path.write_text(text.replace("config:\n", "config:\n  gcp:project: other\n", 1))
    assert from_file(path) == from_file(ROOT / "Pulumi.dev.yaml")


def test_a_file_of_a_size_no_environment_has_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text("config: {}\n" + "#" * 300_000)
    with pytest.raises(ConfigError, match=r"Pulumi\.test\.yaml: found 300,011 bytes; allowed: "):
        from_file(file)


def test_a_file_of_more_keys_than_any_environment_has_is_not_read_on(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text("config:\n" + "".join(f"  a{number}: 1\n" for number in range(20_000)))
    with pytest.raises(ConfigError, match=r"line 5001, .* \(more than 10,000 keys and values in c"):
        from_file(file)


def test_an_empty_mapping_is_not_taken_for_defaults(tmp_path: Path) -> None:
    """Pulumi's own config cannot tell it from a key that is left out."""
    file = tmp_path / "Pulumi.dev.yaml"
    shipped = (ROOT / "Pulumi.dev.yaml").read_text()
    file.write_text(f"{shipped}\n  guardrail_floor: {{}}\n")
    with pytest.raises(ConfigError, match="guardrail_floor: found an empty mapping; allowed: a "):
        from_file(file)
