"""A resource, and what all objects are read by."""

from dataclasses import dataclass
from typing import Any

from request_path.objects import Reference
from request_path.values import get, text


@dataclass(frozen=True)
class Resource:
    """A resource of a stack, as a state or a policy pack knows it."""

    type: str
    name: str
    urn: str
    props: object
    provider: str = ""
    """URN of its provider."""
    wired: frozenset[str] = frozenset()
    """URNs of the resources its properties come from."""


def base(resource: Resource) -> dict[str, Any]:
    """Read what every object has."""
    return {"label": resource.name, "urn": resource.urn, "wired": resource.wired}


def in_cluster(resource: Resource) -> dict[str, Any]:
    """Read what every object of a cluster has."""
    metadata = get(resource.props, "metadata")
    return {
        **base(resource),
        "cluster": resource.provider,
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
    return get(resource.props, "metadata", "namespace") or "default"
