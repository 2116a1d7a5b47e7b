"""The container images a resource runs."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from resources.kubernetes import is_patch, objects
from resources.pods import changes_pods, containers, makes_pods, pod_specs
from resources.properties import Absence, entries, get, is_mapping, is_sequence, listed, text
from resources.resource import Resource

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrun/service:Service": ("template", "spec"),
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}


# What an operator runs by a field of its own: a name with a registry's host.
_FIELD: Final = re.compile(r"image(Name|Reference)?|[a-z]\w*Image(Name)?")
_FULL: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?/[\w./:@-]+")
_DEPTH: Final = 12


def _alone(value: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the images that an object names outside containers."""
    if depth > _DEPTH:
        return
    if is_mapping(value):
        # The image of a container is yielded with it.
        container = text(value, "name") not in (Absence.MISSING, "")
        for name in list(value):
            found = get(value, name)
            if isinstance(found, str):
                if not container and _FIELD.fullmatch(name) and _FULL.fullmatch(found):
                    yield name, found
            else:
                yield from _alone(found, depth + 1)
    elif is_sequence(value):
        for each in listed(value):
            yield from _alone(each, depth + 1)


def runs_images(token: str) -> bool:
    """Return whether resources of this type run containers."""
    return token in _TEMPLATES or changes_pods(token)


def images(resource: Resource) -> Iterator[tuple[str, str | Absence]]:
    """Yield where each container stands, and its image; unknown when wired from another
    resource."""
    if resource.type not in _TEMPLATES:
        for where, container in containers(resource.type, resource.props):
            yield where, text(container, "image")
        if changes_pods(resource.type) and not (
            makes_pods(resource.type) or is_patch(resource.type)
        ):
            for each in objects(resource.type, resource.props):
                yield from _alone(get(each, "spec"))
        for spec in pod_specs(resource.type, resource.props):
            volumes = entries(spec, "volumes")
            for index, volume in enumerate(volumes if isinstance(volumes, tuple) else ()):
                reference = text(volume, "image", "reference")
                if isinstance(reference, str):
                    yield f"volumes[{index}]", reference
        return
    found = entries(resource.props, *_TEMPLATES[resource.type], "containers")
    for index, container in enumerate(found if isinstance(found, tuple) else ()):
        yield f"containers[{index}]", text(container, "image")
