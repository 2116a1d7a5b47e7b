"""Guardrails by Model Armor: on each region's gateway, their floor, and the grants for them."""

from catalog.conventions import PLATFORM
from components.inference.extensions import Extension
from components.inference.model_armor_access import ModelArmorAccess, ModelArmorAccessArgs
from components.inference.model_armor_arguments import Guardrail as GuardrailArgs
from components.inference.model_armor_floor import ModelArmorFloor, ModelArmorFloorArgs
from components.inference.model_armor_guardrail import ModelArmorGuardrail
from components.inference.model_armor_templates import is_advanced
from components.ready import after
from config.guardrails import DEFAULT
from config.platform import Platform
from stacks.arguments import to_args
from stacks.clusters import RegionCluster
from stacks.foundation import Foundation

MODEL_ARMOR = "modelarmor.googleapis.com"
NETWORK_SERVICES = "networkservices.googleapis.com"


def build_access(platform: Platform, foundation: Foundation) -> ModelArmorAccess | None:
    """Make the project's grants; None where Model Armor screens no model."""
    if not any(_is_screened(platform, region) for region in platform.regions):
        return None
    services = foundation.services
    args: ModelArmorAccessArgs = {
        "project": services.project_for("modelarmor", "dlp", "networkservices"),
        "project_number": after(services.project_number, services.service_agents[NETWORK_SERVICES]),
    }
    if any(
        is_advanced(to_args(GuardrailArgs, each))
        for each in platform.model_armor_guardrails.values()
    ):
        args["model_armor_agent_email"] = services.service_agents[MODEL_ARMOR]
    return ModelArmorAccess(PLATFORM, args, foundation.google)


def build_floor(platform: Platform, foundation: Foundation) -> ModelArmorFloor | None:
    """Set the project's floor; None where the config has none."""
    floor = platform.guardrail_floor
    if floor is None:
        return None
    return ModelArmorFloor(
        PLATFORM,
        to_args(ModelArmorFloorArgs, floor, project=foundation.services.project_for("modelarmor")),
        foundation.google,
    )


def build_model_armor(
    platform: Platform, access: ModelArmorAccess | None, cluster: RegionCluster
) -> Extension | None:
    """Screen a region's gateway; None where Model Armor screens none of its models."""
    region = cluster.region
    if access is None or not _is_screened(platform, region):
        return None
    guardrails = platform.model_armor_guardrails
    return ModelArmorGuardrail(
        cluster.name,
        {
            "project": access.project_id,
            "region": region,
            "guardrails": {name: to_args(GuardrailArgs, each) for name, each in guardrails.items()},
            "default": DEFAULT,
            "models": platform.guardrails_by_model(region),
            "fail_open": platform.guardrails_fail_open,
            "timeout_seconds": platform.gateway.guardrail_timeout_seconds,
        },
        cluster.options,
    ).extension


def _is_screened(platform: Platform, region: str) -> bool:
    models = platform.guardrails_by_model(region)
    return bool(models) and platform.gateway_guardrail(region) is None
