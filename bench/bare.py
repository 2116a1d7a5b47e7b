"""A bare program: as many plain resources of the same types as a stack has, and nothing else."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from sandbox.sdk_types import resource_type

# The SDK's marker of a secret value.
SECRET_KEY = "4dabf18193072939515e22adb298388d"  # noqa: S105 no credential


def write_recipe(deployment: Mapping[str, Any], file: Path) -> int:
    """Writes types, names, final inputs and dependencies of a deployment's resources.

    Returns how many resources there are, providers aside.
    """
    plain = [
        {
            "urn": resource["urn"],
            "type": resource["type"],
            "inputs": _unwrapped(resource.get("inputs", {})),
            "provider": resource.get("provider", "").rpartition("::")[0],
            "dependencies": resource.get("dependencies", []),
        }
        for resource in deployment["resources"]
        if resource.get("custom")
    ]
    file.write_text(json.dumps(plain))
    return sum(not item["type"].startswith("pulumi:") for item in plain)


def program_of(file: Path) -> Callable[[], None]:
    """The bare program of a recipe: its resources in the recorded order."""

    def program() -> None:
        made: dict[str, pulumi.Resource] = {}
        for item in json.loads(file.read_text()):
            name = item["urn"].rpartition("::")[2]
            depends_on = [made[urn] for urn in item["dependencies"] if urn in made]
            if item["type"].startswith("pulumi:providers:"):
                package = item["type"].rpartition(":")[2]
                options = pulumi.ResourceOptions(depends_on=depends_on)
                made[item["urn"]] = pulumi.ProviderResource(package, name, item["inputs"], options)
                continue
            provider = cast("pulumi.ProviderResource", made[item["provider"]])
            options = pulumi.ResourceOptions(provider=provider, depends_on=depends_on)
            # The SDK's module is imported as a program would: that is part of what is measured.
            resource_type(item["type"])
            made[item["urn"]] = pulumi.CustomResource(item["type"], name, item["inputs"], options)

    return program


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        if SECRET_KEY in found:
            return "secret"
        return {key: _unwrapped(item) for key, item in found.items() if key != "__defaults"}
    if isinstance(value, list):
        return [_unwrapped(item) for item in cast("list[Any]", value)]
    return value
