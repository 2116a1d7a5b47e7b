"""The JSON schema of an environment's file, for editors: `python -m policies.schema [--check]`."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from catalog.pages import kept
from policies.engine.config import DISABLED, LEVEL, LEVELS, REMEDIATE
from policies.engine.environment import ENVIRONMENTS
from policies.engine.exemptions import SCHEMAS
from policies.engine.packs import ALL, rules_of
from policies.shared.rule import AnyRule
from resources.properties import is_sequence

FILE: Final = ENVIRONMENTS.parent / "schema.json"

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the schema of a whole `policies/environments/<stack>.yaml`."""
    rules = rules_of(ALL)
    exempt = [rule.id for rule in rules if not rule.never_exempt]
    able = [rule.id for rule in rules if rule.remediable]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What the policy packs allow in an environment",
        "type": "object",
        "required": ["rules"],
        "properties": {
            "rules": {
                "description": "Levels and limits that differ from those of the rules' files.",
                "type": "object",
                "properties": {rule.id: _rule(rule) for rule in rules},
                "required": [rule.id for rule in rules if _to_give(rule)],
                "additionalProperties": False,
            },
            "remediate": {
                "description": "Rules that correct what they find.",
                "type": ["array", "null"],
                "items": {"enum": able},
            },
            "exemptions": {
                "description": "Findings that are accepted for a time.",
                "type": ["array", "null"],
                "items": _closed(
                    {
                        "rule": {"description": "The rule's name.", "enum": exempt},
                        **{key: {"type": "string", **each} for key, each in SCHEMAS.items()},
                    },
                    required=["rule", *SCHEMAS],
                ),
            },
        },
        "additionalProperties": False,
    }


def _rule(rule: AnyRule) -> Schema:
    levels = [*LEVELS, REMEDIATE] if rule.remediable else [*LEVELS]
    limits = {each.name: {**each.schema(), **_default(each.default)} for each in rule.limits}
    given = _to_give(rule)
    level = {"description": "What a finding does.", "enum": levels, "default": rule.level.value}
    forms = [
        # A rule that is off needs no limits.
        {"enum": [DISABLED] if given else levels},
        _closed({LEVEL: level, **limits}, required=given),
    ]
    if given:
        forms.append(_closed({LEVEL: {"enum": [DISABLED]}, **limits}, required=[LEVEL]))
    return {"description": f"{rule.description} {rule.why}", "anyOf": forms}


def _to_give(rule: AnyRule) -> list[str]:
    """Return the limits that have no default."""
    return [each.name for each in rule.limits if each.default is None]


def _default(value: object) -> Schema:
    if value is None:
        return {}
    return {"default": list(value) if is_sequence(value) else value}


def _closed(properties: Mapping[str, object], required: Sequence[str]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def text() -> str:
    """Return the schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def _pages() -> Mapping[Path, str]:
    return {FILE: text()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; return the exit code."""
    return kept("policies.schema", _pages, arguments)


if __name__ == "__main__":
    sys.exit(main())
