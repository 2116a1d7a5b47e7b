"""The stack file: our keys in it, whether a person or Pulumi wrote them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from catalog import strict_yaml
from catalog.problems import Problem, did_you_mean, lookalike, shown
from config.errors import ConfigError
from config.platform import Platform

PROJECT: Final = "inference"
"""The project's name in Pulumi.yaml: the namespace Pulumi writes before our keys."""

# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
TOP_LEVEL: Final = ("config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt")

_MOST_BYTES: Final = 250_000
"""A stack file of a hundred models has a tenth of it; what is longer is read for seconds."""

_MOST_VALUES: Final = 10_000
"""Keys and values of a stack file, with the same in mind."""

_SWITCHES: Final = {"true": True, "false": False}


def values_of(path: Path) -> Mapping[str, object]:
    """Our keys of a stack file, without namespace. Raises ConfigError when it cannot be read."""
    source = path.name
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            found, allowed = f"{len(content):,} bytes", f"{_MOST_BYTES:,} bytes or fewer"
            raise _refused(source, found, allowed, "write what the environment needs")
        document = strict_yaml.load(content.decode("utf-8"), most=_MOST_VALUES)
    except FileNotFoundError:
        raise _refused(source, "no such file", "a stack file", f"create it: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(source, f"a file that cannot be read ({error})", "UTF-8", "fix it") from None
    except strict_yaml.YamlError as error:
        place = f"line {error.line}, column {error.column}"
        found = f"broken YAML in {place} ({error.message})"
        raise _refused(source, found, "YAML with each key once", "fix that line") from None
    if document is None:
        raise _refused(
            source, "an empty file", "a mapping with config:", "add config: and the keys"
        )
    if not isinstance(document, dict):
        raise _refused(source, shown(document), "a mapping with config:", "start with config:")
    return _below_config(cast("dict[object, object]", document), source)


def _refused(source: str, found: str, allowed: str, remedy: str) -> ConfigError:
    return ConfigError(source, [Problem((), found, allowed, remedy)])


def _below_config(document: Mapping[object, object], source: str) -> Mapping[str, object]:
    problems = [_stray(str(key)) for key in document if key not in TOP_LEVEL]
    config = document.get("config")
    values: dict[str, object] = {}
    if not isinstance(config, dict):
        remedy = "put the environment's keys below it"
        problems.append(Problem(("config",), shown(config), "a mapping", remedy))
        config = {}
    for key, value in cast("dict[object, object]", config).items():
        namespace, colon, name = str(key).rpartition(":")
        if colon and namespace != PROJECT:
            continue
        if name in values:
            found = f"the key twice, also as '{PROJECT}:{name}'"
            problems.append(Problem((name,), found, "each key once", "remove one of them"))
        if value == {} and not may_be_empty(name):
            problems.append(_empty(name))
        values[name] = _switch(name, value) if colon else value
    if problems:
        raise ConfigError(source, problems)
    return values


def may_be_empty(name: str) -> bool:
    """Return whether an empty mapping of a key isn't what Pulumi has for one that is left out."""
    field = Platform.model_fields.get(name)
    return field is None or field.default is not None


def _empty(name: str) -> Problem:
    allowed = "a mapping with a key or more: Pulumi takes an empty one for a key that is left out"
    return Problem((name,), "an empty mapping", allowed, "give one of its keys, or remove it")


def _stray(key: str) -> Problem:
    remedy = did_you_mean(key, TOP_LEVEL, "remove it")
    if key in Platform.model_fields:
        remedy = "move it below config:"
    found = f"an unknown key{lookalike(key)} at the top level"
    return Problem((key,), found, ", ".join(TOP_LEVEL), remedy)


def _switch(name: str, value: object) -> object:
    """Return Pulumi writes a true or false at the top of the config back as text."""
    field = Platform.model_fields.get(name)
    if field is not None and field.annotation is bool and isinstance(value, str):
        return _SWITCHES.get(value, value)
    return value
