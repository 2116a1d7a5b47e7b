"""The JSON schema of a stack file, for editors: `python -m config.schema [--check]`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from pydantic.json_schema import models_json_schema

from catalog.pages import kept
from config.examples import example
from config.keys import keys
from config.platform import Platform
from config.stack_file import PROJECT

FILE: Final = Path(__file__).parent / "schema.json"

Schema = dict[str, object]

# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
_PULUMI_KEYS: Final[Schema] = {
    "environment": {"description": "Pulumi ESC environments the config is merged from."},
    "secretsprovider": {
        "type": "string",
        "description": "How Pulumi encrypts this stack's secrets.",
    },
    "encryptedkey": {"type": "string", "description": "The stack's data key; Pulumi writes it."},
    "encryptionsalt": {
        "type": "string",
        "description": "Salt of the passphrase; Pulumi writes it.",
    },
}
_NAMESPACED: Final = f"^(?!{PROJECT}:)[^:]+:.+$"


def schema() -> Schema:
    """Return the schema of a whole `Pulumi.<stack>.yaml`: keys with or without namespace."""
    definitions = cast("dict[str, Schema]", _tidied(_definitions()))
    platform = definitions.pop(Platform.__name__)
    properties = cast("Schema", platform.pop("properties"))
    namespaced = {f"{PROJECT}:{name}": value for name, value in properties.items()}
    required = cast("list[str]", platform.pop("required"))
    config: Schema = {
        **platform,
        "properties": {**properties, **namespaced},
        "patternProperties": {_NAMESPACED: {"description": "Config of a Pulumi provider."}},
        "allOf": [
            {"anyOf": [{"required": [name]}, {"required": [f"{PROJECT}:{name}"]}]}
            for name in required
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of the inference platform",
        "type": "object",
        "required": ["config"],
        "properties": {"config": config, **_PULUMI_KEYS},
        "additionalProperties": False,
        "$defs": definitions,
    }


def _definitions() -> Schema:
    """Return the schemas of all models by name, each key with an example."""
    known = [*keys()]
    models = dict.fromkeys((Platform, *(key.model for key in known)))
    references, whole = models_json_schema([(model, "validation") for model in models])
    definitions = cast("dict[str, dict[str, dict[str, Schema]]]", whole["$defs"])
    for key in known:
        name = references[key.model, "validation"]["$ref"].rpartition("/")[2]
        definitions[name]["properties"][key.name]["examples"] = [example(key)]
    return cast("Schema", definitions)


def _tidied(node: object) -> object:
    """Return the node without titles that repeat names, and closed to names that fit no pattern."""
    if isinstance(node, list):
        return [_tidied(each) for each in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    entries = cast("Schema", node)
    if isinstance(described := entries.get("description"), str):
        entries["description"] = " ".join(described.split())
    tidied = {
        key: _tidied(value)
        for key, value in entries.items()
        if key != "title" or not isinstance(value, str)
    }
    if "patternProperties" in entries:
        tidied["additionalProperties"] = False
    return tidied


def text() -> str:
    """Return the schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; return the exit code."""
    return kept("config.schema", lambda: {FILE: text()}, arguments)


if __name__ == "__main__":
    sys.exit(main())
