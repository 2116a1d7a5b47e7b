"""Writes down a stack's resources, for a bare program to make the same ones."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

# The SDK's marker of a secret value.
SECRET_KEY = "4dabf18193072939515e22adb298388d"  # noqa: S105 no credential


def write_recipe(deployment: Mapping[str, Any], file: Path) -> int:
    """Write types, names, inputs, dependencies and given addresses of a deployment's resources.

    Returns how many resources there are, providers aside.
    """
    plain = [
        {
            "urn": resource["urn"],
            "type": resource["type"],
            "id": resource.get("id", ""),
            "address": resource.get("outputs", {}).get("address", ""),
            "inputs": _unwrapped(resource.get("inputs", {})),
            "provider": resource.get("provider", "").rpartition("::")[0],
            "dependencies": resource.get("dependencies", []),
        }
        for resource in deployment["resources"]
        if resource.get("custom")
    ]
    file.write_text(json.dumps(plain))
    return sum(not item["type"].startswith("pulumi:") for item in plain)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if SECRET_KEY in found:
            return "secret"
        return {key: _unwrapped(item) for key, item in found.items() if key != "__defaults"}
    if isinstance(value, list):
        return [_unwrapped(item) for item in cast("list[Any]", value)]
    return value
