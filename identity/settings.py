"""The settings of the program, `Pulumi.<stack>.yaml`: read, checked, and described to editors.

`python -m identity.settings [--check]` writes the JSON schema; what each is for stands in
`Pulumi.yaml`.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml

from catalog.limits import Text
from catalog.limits.names import PROJECT_ID
from catalog.limits.storage import KMS_KEY
from catalog.pages import kept
from catalog.problems import Problem, shown
from identity.pipelines import TABLE

_FOLDER: Final = Path(__file__).parent
FILE: Final = _FOLDER / "schema.json"
_PROJECT: Final[Any] = yaml.safe_load((_FOLDER / "Pulumi.yaml").read_text(encoding="utf-8"))
_DEFAULTS: Final[Mapping[str, str]] = {
    name: each["default"] for name, each in _PROJECT["config"].items() if "default" in each
}
_DIGITS: Final = Text("[0-9]+", "a number in quotes", "see the comments of Pulumi.dev.yaml")
_BY_PULUMI: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
_APIS: Final = "|".join(TABLE["also"])
LIMITS: Final[Mapping[str, Text]] = {
    "gcp_project": PROJECT_ID,
    "project_number": _DIGITS,
    "repository": Text("[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "owner/name", "write it as GitHub does"),
    "repository_id": _DIGITS,
    "branch": Text(r"(?!refs/)[^\s~^:?*\[\\]+", "a branch's name", "leave out refs/heads/"),
    "approvers": Text(
        r"(?:user|group):[^@\s:]+@[^@\s]+\.[^@\s]+",
        "user: or group: and an e-mail address",
        "write it like group:platform@acme.com",
    ),
    "state_bucket": Text(
        "[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]", "a bucket's name", "leave out gs://"
    ),
    "state_key": KMS_KEY,
    "also": Text(
        rf"(?:(?:{_APIS})(?:, *(?:{_APIS}))*)?",
        f"some of {_APIS.replace('|', ', ')}, with commas between",
        "name what the stack has",
    ),
}


def read(config: pulumi.Config) -> dict[str, str]:
    """Return each setting by its name. Raises pulumi.RunError with every mistake in them."""
    source = f"identity/Pulumi.{pulumi.get_stack()}.yaml"
    given = {name: config.get(name) for name in LIMITS}
    if lines := [f"{source}: {each}" for each in _problems(config.name, given)]:
        raise pulumi.RunError("\n".join(lines))
    return {name: value or _DEFAULTS[name] for name, value in given.items()}


def _problems(namespace: str, given: Mapping[str, str | None]) -> Iterator[Problem]:
    for name, limit in LIMITS.items():
        value = given[name]
        if name in _DEFAULTS if value is None else limit.matches(value):
            continue
        path = ("config", f"{namespace}:{name}")
        yield Problem(path, shown(value), limit.allowed, limit.remedy)


def schema() -> dict[str, Any]:
    """Return the schema of an `identity/Pulumi.<stack>.yaml`."""
    keys: Mapping[str, Mapping[str, str]] = _PROJECT["config"]
    namespace = _PROJECT["name"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The accounts of an environment's pipelines",
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": {
                "type": "object",
                "properties": {
                    f"{namespace}:{name}": {**each, **LIMITS[name].hint()}
                    for name, each in keys.items()
                },
                "required": [
                    f"{namespace}:{name}" for name, each in keys.items() if "default" not in each
                ],
                "patternProperties": {"^(pulumi|gcp):": True},
                "additionalProperties": False,
            },
            **{key: {"type": "string"} for key in _BY_PULUMI},
        },
        "additionalProperties": False,
    }


def _pages() -> Mapping[Path, str]:
    return {FILE: json.dumps(schema(), indent=2) + "\n"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the schema; return the exit code."""
    return kept("identity.settings", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())
