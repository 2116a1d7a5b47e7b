"""The container images a resource runs."""

from collections.abc import Iterator, Mapping
from typing import Final

from resources.pods import changes_pods, containers, pod_specs
from resources.properties import Absence, entries, text
from resources.resource import Resource

_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrun/service:Service": ("template", "spec"),
    "gcp:cloudrunv2/job:Job": ("template", "template"),
    "gcp:cloudrunv2/service:Service": ("template",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template",),
}


def runs_images(token: str) -> bool:
    """Return whether resources of this type run containers."""
    return token in _TEMPLATES or changes_pods(token)


def images(resource: Resource) -> Iterator[tuple[str, str | Absence]]:
    """Yield where each container stands, and its image; unknown when wired from another
    resource."""
    if resource.type not in _TEMPLATES:
        for where, container in containers(resource.type, resource.props):
            yield where, text(container, "image")
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
