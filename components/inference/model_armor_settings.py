"""Which templates screen which model name: what Model Armor reads in an extension's metadata.

Sources: https://cloud.google.com/service-extensions/docs/configure-extensions-to-google-services
for the list, and for its limit of 1 KiB
https://cloud.google.com/service-extensions/docs/reference/rest/v1/projects.locations.lbTrafficExtensions
"""

import json
from collections.abc import Mapping
from typing import Final

from catalog.conventions import DEFAULT_MODEL, MODEL_ARMOR_SETTINGS

_LIMIT_BYTES: Final = 1024 - len(MODEL_ARMOR_SETTINGS) - 1

PROMPT: Final = "prompt"
RESPONSE: Final = "response"


def template_id(guardrail: str, side: str) -> str:
    """Return the id of a guardrail's template for prompts or for responses."""
    return f"{guardrail}-{side}"


def model_armor_settings(
    project: str, region: str, models: Mapping[str, str], default: str
) -> dict[str, str]:
    """Return the metadata that maps model names to the templates of their guardrails.

    Every name has an entry where all of them fit. Otherwise those of the default guardrail are left
    to the default entry. Raises ValueError where the rest is still too long.
    """
    entries = {**models, DEFAULT_MODEL: default}
    others = {name: guardrail for name, guardrail in models.items() if guardrail != default}
    for chosen in (entries, {**others, DEFAULT_MODEL: default}):
        text = json.dumps(
            [_entry(project, region, name, guardrail) for name, guardrail in chosen.items()],
            separators=(",", ":"),
        )
        if len(text) <= _LIMIT_BYTES:
            return {MODEL_ARMOR_SETTINGS: text}
    raise ValueError(
        f"models: found {len(others)} model and adapter names with another guardrail than the "
        f"default {default!r}, {len(text)} bytes of settings; allowed: {_LIMIT_BYTES} bytes for a "
        "Gateway; make the guardrail that most models have the default, or shorten its name"
    )


def _entry(project: str, region: str, model: str, guardrail: str) -> dict[str, str]:
    templates = f"projects/{project}/locations/{region}/templates/"
    return {
        "model": model,
        "user_prompt_template_id": templates + template_id(guardrail, PROMPT),
        "model_response_template_id": templates + template_id(guardrail, RESPONSE),
    }
