"""A resource's inputs as the kubernetes provider sends them to the API server."""

from typing import Any, cast

# The SDKs can't have a dash in a name; the provider puts it back, for these fields and no others:
# https://github.com/pulumi/pulumi-kubernetes, provider/pkg/provider/provider.go,
# mapReplUnderscoreToDash.
DASHED = {
    name: name.replace("_", "-")
    for name in (
        "x_kubernetes_embedded_resource",
        "x_kubernetes_int_or_string",
        "x_kubernetes_list_map_keys",
        "x_kubernetes_list_type",
        "x_kubernetes_map_type",
        "x_kubernetes_preserve_unknown_fields",
        "x_kubernetes_validations",
    )
}


def on_the_wire(inputs: Any) -> Any:
    """Return the inputs with Kubernetes' own field names, at every depth."""
    if isinstance(inputs, dict):
        fields = cast("dict[str, Any]", inputs)
        return {DASHED.get(name, name): on_the_wire(value) for name, value in fields.items()}
    if isinstance(inputs, list):
        return [on_the_wire(item) for item in cast("list[Any]", inputs)]
    return inputs
