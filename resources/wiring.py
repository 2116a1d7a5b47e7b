"""What another resource is called: by its name, or, where that is not known yet, by its URN."""

from resources.properties import text
from resources.resource import Resource


def referenced_names(resource: Resource, prop: str, *path: str | int) -> frozenset[str]:
    """Return what stands at `path` of a property: the text there and the URNs it is wired from."""
    found = text(resource.props, prop, *path)
    named = {found.rpartition("/")[2]} if isinstance(found, str) else set[str]()
    return frozenset(named | set(resource.dependencies.get(prop, ())))
