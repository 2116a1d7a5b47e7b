"""TrafficExtension: the one chain of services that sees all traffic of a Gateway.

Owns the Gateway's GCPTrafficExtension. Does not own the services in the chain: each gives its own
`Extension` (CalloutService, ModelArmorGuardrail, ApigeeBackend). Routing comes before the
chain and is an extension of its own (BodyBasedRouter).
"""

from collections.abc import Sequence
from typing import Annotated, Final, TypedDict

import pulumi

from catalog.limits import Entries
from catalog.limits.names import KUBERNETES_NAME
from components.inference.custom_resources import (
    GATEWAY,
    TRAFFIC_EXTENSION,
    Identity,
    custom_resource,
)
from components.inference.extensions import Extension, check_extension, extension_spec
from components.names import dns_label
from components.ready import after
from components.validation import Problems, component_type, register

EVERY_REQUEST: Final = 'request.path.startsWith("/")'
_SUFFIX: Final = "-traffic"


class TrafficExtensionArgs(TypedDict):
    """Arguments of `TrafficExtension`."""

    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway, and of what the extensions name."""
    gateway_name: pulumi.Input[str]
    """Name of the Gateway: `InferenceGateway.gateway_name`."""
    extensions: Annotated[Sequence[Extension], Entries("an extension", high=3)]
    """The services in the order requests pass them; responses pass in reverse order. API
    management comes before guardrails: it refuses callers before their prompts are paid for."""


def validate_traffic_extension(name: str, args: TrafficExtensionArgs) -> Problems:
    """Check the plain arguments of a `TrafficExtension`."""
    problems = Problems.of(TrafficExtensionArgs, args)
    problems.check_limit(KUBERNETES_NAME, f"{dns_label(name)}{_SUFFIX}", "name")
    seen: set[str] = set()
    for index, extension in enumerate(args["extensions"]):
        path = f"extensions[{index}]"
        check_extension(problems, path, extension)
        if extension["name"] in seen:
            problems.add(f"{path}.name", f"found {extension['name']!r} again; rename one of them")
        seen.add(extension["name"])
    return problems


class TrafficExtension(pulumi.ComponentResource):
    """Puts services such as API management and guardrails into the way of every request.

    One chain with every path: a load balancer runs the first chain that matches and no other, so
    that a second one would open a way around the first. Without an answer of one of its services a
    request fails, unless that extension says otherwise.
    https://cloud.google.com/service-extensions/docs/lb-extensions-overview

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    extension_name: pulumi.Output[str]
    """Name of the extension, known once it is made."""

    def __init__(
        self,
        name: str,
        args: TrafficExtensionArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(TrafficExtension), name, {}, opts)
        validate_traffic_extension(name, args).raise_if_any(name)
        physical_name = f"{dns_label(name)}{_SUFFIX}"
        extension = custom_resource(
            f"{name}-extension",
            TRAFFIC_EXTENSION,
            Identity(physical_name, args["namespace"]),
            {
                "targetRefs": [GATEWAY.reference(args["gateway_name"])],
                "extensionChains": [
                    {
                        "name": "every-request",
                        "matchCondition": {"celExpressions": [{"celMatcher": EVERY_REQUEST}]},
                        "extensions": [extension_spec(each) for each in args["extensions"]],
                    }
                ],
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.extension_name = after(physical_name, extension.id)
        register(self)


__all__ = ["TrafficExtension", "TrafficExtensionArgs", "validate_traffic_extension"]
