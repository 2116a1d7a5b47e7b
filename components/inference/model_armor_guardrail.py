"""ModelArmorGuardrail: every prompt and every response of a region's models passes Model Armor.

Owns the templates of the region. Does not own the Gateway's extension: it gives its place in the
chain (TrafficExtension); nor the grants, which are one set a project (ModelArmorAccess).
"""

from collections.abc import Mapping

import pulumi

from catalog.limits.guardrails import UNSCREENED
from catalog.limits.inference import EXTENSION_TIMEOUT_SECONDS
from components.inference.extensions import Extension
from components.inference.model_armor_arguments import (
    Guardrail,
    ModelArmorGuardrailArgs,
    validate_model_armor_guardrail,
)
from components.inference.model_armor_settings import model_armor_settings
from components.inference.model_armor_templates import (
    UNSCREENED_GUARDRAIL,
    Place,
    guardrail_templates,
)
from components.validation import component_type, register


class ModelArmorGuardrail(pulumi.ComponentResource):
    """Screens what clients send to models and what models answer.

    Model Armor sees all parts of requests and responses. Without its answer a request fails, unless
    `fail_open` is set. The wait is the longest a load balancer allows, since each one that ends
    early fails a request.
    https://cloud.google.com/service-extensions/docs/configure-extensions-to-google-services

    Raises `pulumi.InputPropertiesError` for wrong arguments, ValueError for more model names with
    guardrails of their own than an extension's metadata holds.
    """

    extension: Extension
    """The guardrail's place in a chain; what uses it waits for the templates."""

    def __init__(
        self,
        name: str,
        args: ModelArmorGuardrailArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ModelArmorGuardrail), name, {}, opts)
        validate_model_armor_guardrail(args).raise_if_any(name)
        place = Place(args["project"], args["region"])
        templates = [
            template
            for guardrail_name, guardrail in _guardrails_in_use(args).items()
            for template in guardrail_templates(
                self, f"{name}-{guardrail_name}", place, guardrail_name, guardrail
            )
        ]
        # From the extension's creation on, every request needs its templates. Made of inputs, the
        # settings are known in a preview.
        metadata = pulumi.Output.all(
            args["project"], *[template.template_id for template in templates]
        ).apply(lambda values: _settings(args, str(values[0])))
        self.extension = {
            "name": "model-armor",
            "google_api": f"modelarmor.{args['region']}.rep.googleapis.com",
            "timeout_seconds": args.get("timeout_seconds", EXTENSION_TIMEOUT_SECONDS.default),
            "fail_open": args.get("fail_open", False),
            "metadata": metadata,
        }
        register(self)


def _settings(args: ModelArmorGuardrailArgs, project: str) -> Mapping[str, str]:
    return model_armor_settings(project, args["region"], args["models"], args["default"])


def _guardrails_in_use(args: ModelArmorGuardrailArgs) -> dict[str, Guardrail]:
    guardrails = {**args["guardrails"], UNSCREENED: UNSCREENED_GUARDRAIL}
    used = {*args["models"].values(), args["default"]}
    return {name: guardrail for name, guardrail in guardrails.items() if name in used}


__all__ = ["ModelArmorGuardrail", "ModelArmorGuardrailArgs", "validate_model_armor_guardrail"]
