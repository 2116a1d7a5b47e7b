"""Reads the stack's config from the engine into the typed model."""

import json
from collections.abc import Mapping

import pulumi
from pulumi.runtime import config as engine_config

from config.errors import ConfigError
from config.load import from_mapping
from config.platform import Platform


def load_platform() -> Platform:
    """Return the validated config of the stack that the engine runs.

    Raises pulumi.RunError, whose message lists every mistake with file, key path, value and what is
    allowed.
    """
    try:
        return from_mapping(_values(), source=f"Pulumi.{pulumi.get_stack()}.yaml")
    except ConfigError as problem:
        raise pulumi.RunError(str(problem)) from None


def _values() -> dict[str, object]:
    """Return every key of the project's namespace, so that those nobody knows can be refused."""
    everything: Mapping[str, str] = {
        **engine_config.get_config_env(),
        **engine_config.CONFIG.get(),
    }
    prefix = f"{pulumi.get_project()}:"
    return {
        key.removeprefix(prefix): _decoded(key.removeprefix(prefix), value)
        for key, value in everything.items()
        if key.startswith(prefix)
    }


def _decoded(key: str, value: str) -> object:
    field = Platform.model_fields.get(key)
    if field is not None and field.annotation is str:
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
