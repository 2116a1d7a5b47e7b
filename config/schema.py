"""The JSON schema of a stack file, for editors: `python -m config.schema [--check]`."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

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
    platform = cast("Schema", _tidied(Platform.model_json_schema()))
    definitions = platform.pop("$defs")
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
    """Write the file, or with --check tells whether it is up to date. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="tell whether it is up to date")
    if parser.parse_args(arguments).check:
        current = FILE.exists() and FILE.read_text(encoding="utf-8") == text()
        if not current:
            sys.stderr.write(f"{FILE.name} is out of date: run `python -m config.schema`\n")
        return 0 if current else 1
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
