"""Images of the platform's own services: their repositories, and names that wait for these."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from catalog.conventions import PLATFORM
from components.ready import after
from components.serverless.service_images import ServiceImages, images_prefix
from config.images import repository_of
from config.platform import Platform
from stacks.foundation import Foundation


@dataclass(frozen=True)
class Images:
    """The made repositories by what names of their images begin with."""

    platform: Platform
    repositories: Mapping[str, ServiceImages]

    def reference(self, image: str) -> pulumi.Input[str]:
        """Return an image's name, with its digest where that is locked; that of an image in a
        repository of ours waits for it."""
        image = self.platform.pinned(image)
        for prefix, repository in self.repositories.items():
            if image.startswith(prefix):
                return pulumi.Output.concat(repository.prefix, image.removeprefix(prefix))
        return image

    def of_clusters(self) -> Mapping[str, pulumi.Input[str]]:
        """Give the project's repositories that clusters pull from: ids by a short name."""
        found: dict[str, pulumi.Input[str]] = {}
        for image in self.platform.cluster_images:
            if (
                repository := repository_of(image)
            ) and repository.project == self.platform.project.id:
                made = self.repositories.get(repository.prefix)
                found[f"{repository.location}-{repository.name}"] = (
                    repository.id if made is None else after(repository.id, made.prefix)
                )
        return found


def build_images(platform: Platform, foundation: Foundation) -> Images:
    """Make a repository in each region that an image of the project is in, if any is."""
    images = (*platform.service_images, *platform.cluster_images)
    prefixes = {images_prefix(platform.project.id, region): region for region in platform.regions}
    return Images(
        platform,
        {
            prefix: ServiceImages(
                f"{PLATFORM}-{region}",
                {
                    "project": foundation.services.project_for("artifactregistry"),
                    "region": region,
                    "deletion_protection": platform.deletion_protection,
                },
                foundation.google,
            )
            for prefix, region in prefixes.items()
            if any(image.startswith(prefix) for image in images)
        },
    )
