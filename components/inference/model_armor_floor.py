"""ModelArmorFloor: what every use of Model Armor in a project screens at least.

Owns the project's floor setting. Does not own templates (ModelArmorGuardrail).
"""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.modelarmor import FloorsettingFilterConfigArgsDict

from components.inference.model_armor_filters import (
    ResponsibleAi,
    enforcement,
    responsible_ai_filters,
)
from components.validation import Problems, component_type, register


class ModelArmorFloorArgs(TypedDict):
    """Arguments of `ModelArmorFloor`."""

    project: pulumi.Input[str]
    """Project id."""
    enforce: NotRequired[bool]
    """Refuse templates that screen less (default true); else the floor is only written down."""
    malicious_urls: NotRequired[bool]
    """Malicious URLs (default true)."""
    responsible_ai: NotRequired[ResponsibleAi]
    """From which confidence on each harm is refused (default medium)."""


def validate_model_armor_floor(args: ModelArmorFloorArgs) -> Problems:
    """Check the plain arguments of a `ModelArmorFloor`."""
    return Problems.of(ModelArmorFloorArgs, args)


class ModelArmorFloor(pulumi.ComponentResource):
    """Sets the floor under all Model Armor templates of a project, also those made by hand.

    A floor binds prompts and responses alike, so it holds the filters that templates have on both
    sides. Prompt injection is looked for in prompts only, and sensitive data may be redacted by
    templates of Sensitive Data Protection, which a floor cannot name: both are left to guardrails.
    https://cloud.google.com/security-command-center/docs/set-up-model-armor-floor-settings

    A project has one floor setting, which is set and never made: deleting it leaves what was set.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    project_id: pulumi.Output[str]
    """The project's id, known once the floor is set."""

    def __init__(
        self, name: str, args: ModelArmorFloorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ModelArmorFloor), name, {}, opts)
        validate_model_armor_floor(args).raise_if_any(name)
        floor = gcp.modelarmor.Floorsetting(
            f"{name}-floor",
            parent=pulumi.Output.concat("projects/", args["project"]),
            location="global",
            enable_floor_setting_enforcement=args.get("enforce", True),
            filter_config=_filters(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.project_id = floor.parent.apply(lambda parent: parent.removeprefix("projects/"))
        register(self)


def _filters(args: ModelArmorFloorArgs) -> FloorsettingFilterConfigArgsDict:
    filters: FloorsettingFilterConfigArgsDict = {
        "malicious_uri_filter_settings": {
            "filter_enforcement": enforcement(on=args.get("malicious_urls", True))
        }
    }
    harms = responsible_ai_filters(args.get("responsible_ai", {}))
    if harms is not None:
        filters["rai_settings"] = harms
    return filters


__all__ = ["ModelArmorFloor", "ModelArmorFloorArgs", "validate_model_armor_floor"]
