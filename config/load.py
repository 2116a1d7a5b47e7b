"""Reads a config: from a stack file, or from the values Pulumi hands over."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import ValidationError

from catalog.problems import KeyPath, Problem, shown
from config.checks import check
from config.errors import ConfigError
from config.image_lock import locked_digests
from config.known import Known, known_from, readable
from config.plain import not_plain
from config.platform import Platform
from config.stack_file import may_be_empty, values_of
from config.translate import problems_of


def from_file(path: Path) -> Platform:
    """Return the platform a `Pulumi.<stack>.yaml` describes.

    Keys may stand with or without the project's namespace (`inference:models`); keys of other
    namespaces are Pulumi's. Raises ConfigError with every problem at once, also when the file is
    missing, empty or broken YAML.
    """
    return from_mapping(values_of(path), path.name)


def _other_environment(environment: object, file: str) -> Iterator[Problem]:
    """Yield an environment that is not the one the stack's file is of."""
    _, of_stack, stack = file.removesuffix(".yaml").rpartition("Pulumi.")
    if of_stack and isinstance(environment, str) and environment != stack:
        yield Problem(
            ("environment",),
            shown(environment),
            f"'{stack}', the stack this file is of",
            "change it, or rename the file: labels and policies go by it",
        )


def from_mapping(values: Mapping[str, object], source: str) -> Platform:
    """Return the platform that `values` (the keys below `config:`) describe.

    `source` is the file's name for messages, and of `Pulumi.<stack>.yaml` the stack is the
    environment. Raises ConfigError with every problem at once, also for a broken lock of its
    images.
    """
    if problems := list(not_plain(values)):
        raise ConfigError(source, problems)
    # Pulumi.yaml cannot have null as a default: there an absent mapping is an empty one.
    given = {key: value for key, value in values.items() if value != {} or may_be_empty(key)}
    try:
        # As JSON, because there lists stand for the tuples of the models.
        platform = Platform.model_validate_json(json.dumps(given))
    except ValidationError as error:
        details = error.errors(include_url=False)
        broken: set[KeyPath] = {detail["loc"] for detail in details}
        problems = [*problems_of(details), *check(readable(given, broken))]
        if ("environment",) not in broken:
            problems += _other_environment(given.get("environment"), source)
        raise ConfigError(source, problems) from None
    locked_digests(platform.environment)
    # Several parts of one key, such as replica sets, may find the same of it.
    found = [*check(_everything(platform)), *_other_environment(platform.environment, source)]
    problems = list(dict.fromkeys(found))
    if problems:
        raise ConfigError(source, problems)
    return platform


def _everything(platform: Platform) -> Known:
    return known_from({name: getattr(platform, name) for name in Platform.model_fields})
