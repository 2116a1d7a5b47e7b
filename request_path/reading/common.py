"""What all objects are read by."""

from typing import Any

from request_path.fields import text
from request_path.objects import Reference
from resources.properties import get
from resources.resource import Resource


def base(resource: Resource) -> dict[str, Any]:
    """Read what every object has."""
    wired = frozenset(urn for urns in resource.dependencies.values() for urn in urns)
    return {"label": resource.name, "urn": resource.urn, "wired": wired}


def in_cluster(resource: Resource) -> dict[str, Any]:
    """Read what every object of a cluster has."""
    metadata = get(resource.props, "metadata")
    return {
        **base(resource),
        "cluster": resource.provider,
        "kind": resource.type.rpartition(":")[2],
        "name": text(metadata, "name"),
        "namespace": text(metadata, "namespace") or "default",
    }


def reference(value: object, home: object, kind: str | None = None) -> Reference:
    """Read a reference; `home` is its object's namespace, `kind` the kind where none is named."""
    return Reference(
        text(value, "kind") or kind,
        text(value, "name"),
        text(value, "namespace") or text(home),
        text(value, "sectionName"),
    )


def home_of(resource: Resource) -> object:
    """Read an object's own namespace."""
    return text(resource.props, "metadata", "namespace") or "default"
