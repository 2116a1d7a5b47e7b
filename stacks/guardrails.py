"""Guardrails: Model Armor on each region's gateway, and the grants of the project for it."""

import pulumi

from components.inference.inference_gateway import InferenceGateway
from components.inference.model_armor_access import ModelArmorAccess, ModelArmorAccessArgs
from components.inference.model_armor_arguments import Guardrail as GuardrailArgs
from components.inference.model_armor_guardrail import ModelArmorGuardrail
from components.inference.model_armor_templates import is_advanced
from config.guardrails import DEFAULT, Guardrail
from config.platform import Platform
from stacks.foundation import PLATFORM, Foundation

MODEL_ARMOR = "modelarmor.googleapis.com"
NETWORK_SERVICES = "networkservices.googleapis.com"


def build_access(platform: Platform, foundation: Foundation) -> ModelArmorAccess | None:
    """Makes the project's grants; None where no model is screened."""
    if not any(platform.guardrails_by_model(region) for region in platform.regions):
        return None
    services = foundation.services
    args: ModelArmorAccessArgs = {
        "project": services.project_for("modelarmor", "dlp", "networkservices"),
        "project_number": pulumi.Output.all(
            services.project_number, services.service_agents[NETWORK_SERVICES]
        ).apply(lambda values: str(values[0])),
    }
    if any(is_advanced(_guardrail(each)) for each in platform.all_guardrails.values()):
        args["model_armor_agent_email"] = services.service_agents[MODEL_ARMOR]
    return ModelArmorAccess(PLATFORM, args, pulumi.ResourceOptions(provider=foundation.provider))


def build_guardrail(
    platform: Platform,
    region: str,
    access: ModelArmorAccess | None,
    gateway: InferenceGateway,
    namespace: pulumi.Output[str],
    options: pulumi.ResourceOptions,
) -> ModelArmorGuardrail | None:
    """Screens a region's gateway; None where none of its models is screened."""
    models = platform.guardrails_by_model(region)
    if access is None or not models:
        return None
    guardrails = platform.all_guardrails
    return ModelArmorGuardrail(
        f"{PLATFORM}-{region}",
        {
            "project": access.project_id,
            "region": region,
            "namespace": namespace,
            "gateway_name": gateway.gateway_name,
            "guardrails": {name: _guardrail(each) for name, each in guardrails.items()},
            "default": DEFAULT,
            "models": models,
            "fail_open": all(each.fail_open for each in guardrails.values()),
            "timeout_seconds": platform.gateway.guardrail_timeout_seconds,
        },
        options,
    )


def _guardrail(guardrail: Guardrail) -> GuardrailArgs:
    harms = guardrail.responsible_ai
    args: GuardrailArgs = {
        "prompt_injection": guardrail.prompt_injection,
        "malicious_urls": guardrail.malicious_urls,
        "responsible_ai": {
            "dangerous": harms.dangerous,
            "harassment": harms.harassment,
            "hate_speech": harms.hate_speech,
            "sexually_explicit": harms.sexually_explicit,
        },
        "sensitive_data": guardrail.sensitive_data,
    }
    if guardrail.info_types is not None:
        args["info_types"] = guardrail.info_types
    return args
