"""The container images a resource runs."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from resources.kubernetes import is_patch, objects
from resources.pods import changes_pods, containers, makes_pods, pod_specs
from resources.properties import Absence, Props, entries, get, search, text
from resources.resource import Resource

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrun/service:Service": ("template", "spec"),
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}


# What an operator runs by a field of its own: a name with a registry's host.
_FIELD: Final = re.compile(r"image(Name|Reference)?|[a-z]\w*Image(Name)?")
_FULL: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?/[\w./:@-]+")


def _alone(name: str, found: object, holder: Props) -> list[tuple[str, str]] | None:
    """Return the image that a property of an object names outside containers."""
    if not isinstance(found, str):
        return None
    # The image of a container is yielded with it.
    container = text(holder, "name") not in (Absence.MISSING, "")
    named = not container and _FIELD.fullmatch(name) and _FULL.fullmatch(found)
    return [(name, found)] if named else []


def runs_images(token: str) -> bool:
    """Return whether resources of this type run containers."""
    return token in TEMPLATES or changes_pods(token)


def images(resource: Resource) -> Iterator[tuple[str, str | Absence]]:
    """Yield where each container stands, and its image; unknown when wired from another
    resource."""
    if resource.type not in TEMPLATES:
        for where, container in containers(resource.type, resource.props):
            yield where, text(container, "image")
        if changes_pods(resource.type) and not (
            makes_pods(resource.type) or is_patch(resource.type)
        ):
            for each in objects(resource.type, resource.props):
                yield from search(get(each, "spec"), _alone)
        for spec in pod_specs(resource.type, resource.props):
            volumes = entries(spec, "volumes")
            for index, volume in enumerate(volumes if isinstance(volumes, tuple) else ()):
                reference = text(volume, "image", "reference")
                if isinstance(reference, str):
                    yield f"volumes[{index}]", reference
        return
    found = entries(resource.props, *TEMPLATES[resource.type], "containers")
    for index, container in enumerate(found if isinstance(found, tuple) else ()):
        yield f"containers[{index}]", text(container, "image")
