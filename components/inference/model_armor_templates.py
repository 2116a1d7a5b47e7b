"""The Model Armor templates of a guardrail, and the Sensitive Data Protection ones they use.

Fields: https://cloud.google.com/security-command-center/docs/manage-model-armor-templates
"""

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.modelarmor import (
    TemplateFilterConfigArgsDict,
    TemplateFilterConfigSdpSettingsArgsDict,
    TemplateTemplateMetadataArgsDict,
)

from catalog.limits.guardrails import LEVEL, SENSITIVE_DATA, UNSCREENED
from components.inference.model_armor_arguments import Guardrail
from components.inference.model_armor_filters import (
    LEVELS,
    RESPONSIBLE_AI,
    enforcement,
    responsible_ai_filters,
)
from components.inference.model_armor_settings import PROMPT, RESPONSE, template_id

REDACTED: Final = (
    "AUTH_TOKEN",
    "CREDIT_CARD_NUMBER",
    "EMAIL_ADDRESS",
    "FINANCIAL_ACCOUNT_NUMBER",
    "GCP_API_KEY",
    "GCP_CREDENTIALS",
    "IBAN_CODE",
    "PASSWORD",
    "PHONE_NUMBER",
    "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
    "US_SOCIAL_SECURITY_NUMBER",
)
"""What is redacted by default: the basic set of Model Armor, and what identifies people."""
UNSCREENED_GUARDRAIL: Final[Guardrail] = {
    "prompt_injection": UNSCREENED,
    "malicious_urls": False,
    "responsible_ai": dict.fromkeys(RESPONSIBLE_AI, UNSCREENED),
    "sensitive_data": UNSCREENED,
}
FORBIDDEN: Final = 403

_METADATA: Final[TemplateTemplateMetadataArgsDict] = {
    "enforcement_type": "INSPECT_AND_BLOCK",
    # A filter that does not answer counts as a failure, not as a pass.
    "ignore_partial_invocation_failures": False,
    "log_template_operations": True,
    # Those logs hold prompts and responses in full, what is redacted from them included.
    "log_sanitize_operations": False,
    "multi_language_detection": {"enable_multi_language_detection": True},
    "custom_prompt_safety_error_code": FORBIDDEN,
    "custom_prompt_safety_error_message": "The guardrail of this model refused the prompt.",
    "custom_llm_response_safety_error_code": FORBIDDEN,
    "custom_llm_response_safety_error_message": "The guardrail of this model held the response.",
}


@dataclass(frozen=True)
class Place:
    """Where templates are made."""

    project: pulumi.Input[str]
    region: str


def guardrail_templates(
    component: pulumi.Resource, resource_name: str, place: Place, name: str, guardrail: Guardrail
) -> list[gcp.modelarmor.Template]:
    """Make the two templates of a guardrail: for prompts, then for responses."""
    child = pulumi.ResourceOptions(parent=component)
    sensitive_data = _sensitive_data(resource_name, place, name, guardrail, child)
    return [
        gcp.modelarmor.Template(
            f"{resource_name}-{side}",
            template_id=template_id(name, side),
            project=place.project,
            location=place.region,
            filter_config=_filters(guardrail, side, sensitive_data),
            template_metadata=_METADATA,
            opts=child,
        )
        for side in (PROMPT, RESPONSE)
    ]


def _filters(
    guardrail: Guardrail, side: str, sensitive_data: TemplateFilterConfigSdpSettingsArgsDict
) -> TemplateFilterConfigArgsDict:
    filters: TemplateFilterConfigArgsDict = {
        "malicious_uri_filter_settings": {
            "filter_enforcement": enforcement(on=guardrail.get("malicious_urls", True))
        },
        "pi_and_jailbreak_filter_settings": {"filter_enforcement": enforcement(on=False)},
        "sdp_settings": sensitive_data,
    }
    injection = guardrail.get("prompt_injection", LEVEL.default)
    if side == PROMPT and injection != UNSCREENED:
        filters["pi_and_jailbreak_filter_settings"] = {
            "filter_enforcement": enforcement(on=True),
            "confidence_level": LEVELS[injection],
        }
    harms = responsible_ai_filters(guardrail.get("responsible_ai", {}))
    if harms is not None:
        filters["rai_settings"] = harms
    return filters


def _sensitive_data(
    resource_name: str,
    place: Place,
    name: str,
    guardrail: Guardrail,
    child: pulumi.ResourceOptions,
) -> TemplateFilterConfigSdpSettingsArgsDict:
    treatment = guardrail.get("sensitive_data", SENSITIVE_DATA.default)
    if not is_advanced(guardrail):
        return {"basic_config": {"filter_enforcement": enforcement(on=treatment != UNSCREENED)}}
    parent = pulumi.Output.concat("projects/", place.project, "/locations/", place.region)
    info_types = guardrail.get("info_types", REDACTED)
    inspect = gcp.dataloss.PreventionInspectTemplate(
        f"{resource_name}-inspect",
        parent=parent,
        template_id=name,
        display_name=name,
        inspect_config={
            "info_types": [{"name": info_type} for info_type in info_types],
            "min_likelihood": "POSSIBLE",
        },
        opts=child,
    )
    if treatment != "redact":
        return {"advanced_config": {"inspect_template": inspect.id}}
    deidentify = gcp.dataloss.PreventionDeidentifyTemplate(
        f"{resource_name}-deidentify",
        parent=parent,
        template_id=name,
        display_name=name,
        deidentify_config={
            "info_type_transformations": {
                "transformations": [
                    {
                        "info_types": [{"name": info_type} for info_type in info_types],
                        "primitive_transformation": {"replace_with_info_type_config": True},
                    }
                ]
            }
        },
        opts=child,
    )
    return {
        "advanced_config": {"inspect_template": inspect.id, "deidentify_template": deidentify.id}
    }


def is_advanced(guardrail: Guardrail) -> bool:
    """Return whether a guardrail uses templates of Sensitive Data Protection."""
    return (
        guardrail.get("sensitive_data", SENSITIVE_DATA.default) == "redact"
        or "info_types" in guardrail
    )
