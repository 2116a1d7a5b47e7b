"""Which images may run: the project's policy of Binary Authorization."""

from collections.abc import Mapping

import pulumi

from catalog.conventions import PLATFORM
from catalog.releases import CHARTS, IMAGES
from components.project.image_admission import ImageAdmission
from config.platform import Platform
from stacks.foundation import Foundation
from stacks.inference import Region


def build_admission(
    platform: Platform, foundation: Foundation, regions: Mapping[str, Region]
) -> ImageAdmission | None:
    """Set the policy; None where the config has none."""
    settings = platform.binary_authorization
    if settings is None:
        return None
    exempt: dict[str, pulumi.Input[str]] = {each: each for each in settings.exempt}
    for region, made in regions.items():
        for name in IMAGES:
            image = platform.image(name)
            if made.images.mirrors(image):
                exempt[f"{region}-{name}"] = made.images.reference(image)
    if platform.api_management is not None and platform.api_management.apigee is not None:
        # The operator's chart names its images itself, beside which it is published.
        repository, _, _ = CHARTS["apigee_operator"].chart.removeprefix("oci://").rpartition("/")
        exempt["apigee-operator"] = f"{repository.rpartition('/')[0]}/**"
    return ImageAdmission(
        PLATFORM,
        {
            "project": foundation.services.project_for("binaryauthorization"),
            "attestors": settings.attestors_of(platform.project.id),
            "exempt": exempt,
        },
        foundation.google,
    )
