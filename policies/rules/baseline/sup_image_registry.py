"""A container runs images of known registries only."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, ResourceRule
from resources.images import images, runs_images
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = tuple(f"{registry.rstrip('/')}/" for registry in limits.names("allowedRegistries"))
    for where, image in images(resource):
        # An image that is not known yet is wired from a repository of the stack.
        if isinstance(image, str) and not image.startswith(allowed):
            yield f"the image of {where} is from a registry that is not allowed"


RULE: Final = ResourceRule(
    id="sup-image-registry",
    display_name="Images come from allowed registries",
    description="Container images come from the allowed registries.",
    why="Anyone may publish on a public registry, under a name that looks right.",
    remediation="copy the image to Artifact Registry, or pull it through a remote repository.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/artifact-registry/docs/repositories/remote-overview",
    references=(Reference("CIS GKE", "5.1.4"),),
    limits=(NamesLimit("allowedRegistries", "Hosts and paths images may come from"),),
    applies=runs_images,
    check=_check,
)
