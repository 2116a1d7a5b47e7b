"""The function behind `kubernetes.yaml.ConfigFile`: manifests to objects."""

from typing import Any

import yaml

from sandbox.errors import kubernetes
from sandbox.values import Values, as_map, is_map


def decode(args: Values) -> list[Values]:
    """Return the objects in `text`, lists opened, namespaces defaulted. Raises on broken YAML."""
    try:
        documents: list[Any] = list(yaml.safe_load_all(str(args.get("text", ""))))
    except yaml.YAMLError as error:
        raise kubernetes(f"the manifest is not valid YAML: {error}") from error
    default = args.get("defaultNamespace")
    found: list[Values] = []
    for document in documents:
        items = document.get("items", []) if _is_list(document) else [document]
        found += [_placed(item, default) for item in items if is_map(item)]
    return found


def _is_list(document: Any) -> bool:
    return is_map(document) and str(document.get("kind", "")).endswith("List")


def _placed(item: Values, namespace: Any) -> Values:
    metadata = as_map(item.get("metadata"))
    if namespace and "namespace" not in metadata:
        return {**item, "metadata": {**metadata, "namespace": namespace}}
    return item
