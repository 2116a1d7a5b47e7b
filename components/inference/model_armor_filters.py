"""The filters of Model Armor, which templates and a project's floor have alike.

Fields: https://cloud.google.com/security-command-center/docs/manage-model-armor-templates
"""

from collections.abc import Mapping
from typing import Final

from pulumi_gcp.modelarmor import (
    TemplateFilterConfigRaiSettingsArgsDict,
    TemplateFilterConfigRaiSettingsRaiFilterArgsDict,
)

from components.validation import Problems

UNSCREENED: Final = "none"
"""Switches a filter off; as the guardrail of a model, all of them."""
LEVELS: Final[Mapping[str, str]] = {
    "low": "LOW_AND_ABOVE",
    "medium": "MEDIUM_AND_ABOVE",
    "high": "HIGH",
}
"""Level to the confidence from which on Model Armor acts: `low` blocks most."""
DEFAULT_LEVEL: Final = "medium"
RESPONSIBLE_AI: Final[Mapping[str, str]] = {
    "dangerous": "DANGEROUS",
    "harassment": "HARASSMENT",
    "hate_speech": "HATE_SPEECH",
    "sexually_explicit": "SEXUALLY_EXPLICIT",
}


def enforcement(*, on: bool) -> str:
    """Give the state of a filter."""
    return "ENABLED" if on else "DISABLED"


def check_responsible_ai(problems: Problems, path: str, levels: Mapping[str, str]) -> None:
    """Note harms Model Armor does not know, and levels that are none."""
    for harm, level in levels.items():
        problems.check_one_of(path, harm, RESPONSIBLE_AI)
        problems.check_one_of(f"{path}.{harm}", level, {*LEVELS, UNSCREENED})


def responsible_ai_filters(
    levels: Mapping[str, str],
) -> TemplateFilterConfigRaiSettingsArgsDict | None:
    """Give the filters of harms, at the default level where none is given; None without any."""
    harms = {**dict.fromkeys(RESPONSIBLE_AI, DEFAULT_LEVEL), **levels}
    filters: list[TemplateFilterConfigRaiSettingsRaiFilterArgsDict] = [
        {"filter_type": RESPONSIBLE_AI[harm], "confidence_level": LEVELS[level]}
        for harm, level in harms.items()
        if level != UNSCREENED
    ]
    return {"rai_filters": filters} if filters else None
