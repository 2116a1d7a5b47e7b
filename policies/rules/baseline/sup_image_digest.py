"""A container runs the very image that was tested."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.images import images, runs_images
from resources.resource import Resource

_PINNED: Final = re.compile(r".+@sha256:[0-9a-f]{64}")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for where, image in images(resource):
        if isinstance(image, str) and not _PINNED.fullmatch(image):
            yield f"the image of {where} has no digest"


RULE: Final = ResourceRule(
    id="sup-image-digest",
    display_name="Images are pinned",
    description="Container images are named by digest.",
    why="A tag can point to another image tomorrow, and nodes would run both.",
    remediation="add @sha256:... to the image.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/about-container-images",
    references=(
        Reference("checkov", "CKV_K8S_14"),
        Reference("checkov", "CKV_K8S_43"),
        Reference("trivy", "KSV-0013"),
    ),
    applies=runs_images,
    check=_check,
)
