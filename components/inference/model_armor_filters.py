"""The filters of Model Armor, which templates and a project's floor have alike.

Fields: https://cloud.google.com/security-command-center/docs/manage-model-armor-templates
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pulumi_gcp.modelarmor import (
    TemplateFilterConfigRaiSettingsArgsDict,
    TemplateFilterConfigRaiSettingsRaiFilterArgsDict,
)

from catalog.limits.guardrails import HARM, LEVEL, UNSCREENED

ResponsibleAi = Mapping[Annotated[str, HARM], Annotated[str, LEVEL]]


LEVELS: Final[Mapping[str, str]] = {
    "low": "LOW_AND_ABOVE",
    "medium": "MEDIUM_AND_ABOVE",
    "high": "HIGH",
}
"""Level to the confidence from which on Model Armor acts: `low` blocks most."""
RESPONSIBLE_AI: Final[Mapping[str, str]] = {
    "dangerous": "DANGEROUS",
    "harassment": "HARASSMENT",
    "hate_speech": "HATE_SPEECH",
    "sexually_explicit": "SEXUALLY_EXPLICIT",
}


def enforcement(*, on: bool) -> str:
    """Return the state of a filter."""
    return "ENABLED" if on else "DISABLED"


def responsible_ai_filters(
    levels: Mapping[str, str],
) -> TemplateFilterConfigRaiSettingsArgsDict | None:
    """Return the filters of harms, at the default level where none is given; None without any."""
    harms: dict[str, str] = {harm: levels.get(harm, LEVEL.default) for harm in RESPONSIBLE_AI}
    filters: list[TemplateFilterConfigRaiSettingsRaiFilterArgsDict] = [
        {"filter_type": RESPONSIBLE_AI[harm], "confidence_level": LEVELS[level]}
        for harm, level in harms.items()
        if level != UNSCREENED
    ]
    return {"rai_filters": filters} if filters else None
