"""ModelArmorGuardrail: every prompt and every response of a Gateway passes Model Armor.

Owns the templates and the Gateway's one traffic extension. Does not own the grants, which are one
set a project (ModelArmorAccess), nor the Gateway.
"""

from typing import Any

import pulumi

from components.inference.custom_resources import (
    GATEWAY,
    TRAFFIC_EXTENSION,
    Identity,
    custom_resource,
)
from components.inference.model_armor_arguments import (
    DEFAULT_TIMEOUT_SECONDS,
    UNSCREENED,
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
from components.names import dns_label
from components.validation import component_type

EVERY_REQUEST = 'request.path.startsWith("/")'
BOTH_WAYS = (
    "RequestHeaders",
    "RequestBody",
    "RequestTrailers",
    "ResponseHeaders",
    "ResponseBody",
    "ResponseTrailers",
)


class ModelArmorGuardrail(pulumi.ComponentResource):
    """Screens what clients send to models and what models answer, on every path of a Gateway.

    One extension with one chain: a load balancer runs the first chain that matches and no other, so
    that a second one would open a way around this one. Whatever must see requests before the
    guardrail, such as API management, precedes it in the chain; responses pass in reverse order.
    Without an answer of Model Armor a request fails, unless `fail_open` is set. The wait is the
    longest a load balancer allows, since then each one that ends early fails a request.
    https://cloud.google.com/service-extensions/docs/configure-extensions-to-google-services

    Raises `pulumi.InputPropertiesError` for wrong arguments, ValueError for more model names with
    guardrails of their own than an extension's metadata holds.
    """

    extension_name: pulumi.Output[str]
    """Name of the extension, known once it is made."""

    def __init__(
        self,
        name: str,
        args: ModelArmorGuardrailArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ModelArmorGuardrail), name, {}, opts)
        validate_model_armor_guardrail(args).raise_if_any(name)
        physical_name = f"{dns_label(name)}-guardrail"
        labels = args.get("labels", {})
        place = Place(args["project"], args["region"], labels)
        templates = [
            template
            for guardrail_name, guardrail in _guardrails_in_use(args).items()
            for template in guardrail_templates(
                self, f"{name}-{guardrail_name}", place, guardrail_name, guardrail
            )
        ]
        extension = custom_resource(
            f"{name}-extension",
            TRAFFIC_EXTENSION,
            Identity(physical_name, args["namespace"], labels),
            {
                "targetRefs": [GATEWAY.reference(args["gateway_name"])],
                "extensionChains": [
                    {
                        "name": "every-request",
                        "matchCondition": {"celExpressions": [{"celMatcher": EVERY_REQUEST}]},
                        "extensions": [*args.get("preceding_extensions", ()), _callout(args)],
                    }
                ],
            },
            # From its creation on, every request needs its templates.
            pulumi.ResourceOptions(parent=self, depends_on=templates),
        )
        self.extension_name = extension.id.apply(lambda _: physical_name)
        self.register_outputs({"extension_name": self.extension_name})


def _guardrails_in_use(args: ModelArmorGuardrailArgs) -> dict[str, Guardrail]:
    guardrails = {**args["guardrails"], UNSCREENED: UNSCREENED_GUARDRAIL}
    used = {*args["models"].values(), args["default"]}
    return {name: guardrail for name, guardrail in guardrails.items() if name in used}


def _callout(args: ModelArmorGuardrailArgs) -> dict[str, Any]:
    return {
        "name": "model-armor",
        "googleAPIServiceName": f"modelarmor.{args['region']}.rep.googleapis.com",
        "timeout": f"{args.get('timeout_seconds', DEFAULT_TIMEOUT_SECONDS)}s",
        "failOpen": args.get("fail_open", False),
        "supportedEvents": list(BOTH_WAYS),
        "metadata": pulumi.Output.from_input(args["project"]).apply(
            lambda project: model_armor_settings(
                project, args["region"], args["models"], args["default"]
            )
        ),
    }


__all__ = ["ModelArmorGuardrail", "ModelArmorGuardrailArgs", "validate_model_armor_guardrail"]
