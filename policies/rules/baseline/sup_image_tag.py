"""A container says which version of its image it runs, and a release which of its chart."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.images import images, runs_images
from resources.pods import CHARTS
from resources.properties import MISSING, get, text
from resources.resource import Resource

# A digest, or a tag behind the last slash: a colon before it parts off a port.
_VERSIONED: Final = re.compile(r".+@sha256:[0-9a-f]{64}|(.*/)?[^/:]+:(?!latest$)[\w.-]+")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in CHARTS:
        chart = text(resource.props, "chart")
        # A folder of the program is as it stands there.
        local = isinstance(chart, str) and chart.startswith((".", "/"))
        if not local and get(resource.props, "version") in (MISSING, ""):
            yield "the chart has no version"
        return
    for where, image in images(resource):
        if isinstance(image, str) and not _VERSIONED.fullmatch(image):
            yield f"the image of {where} has no digest and no tag, or the tag latest"


RULE: Final = ResourceRule(
    id="sup-image-tag",
    display_name="Images have a version",
    description=(
        "Container images are named by digest or by a tag other than latest, charts by a version."
    ),
    why=(
        "Without a version a node runs whatever was pushed last, and nobody can tell what that was."
    ),
    remediation="name the tag that was tested, or the digest.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/containers/images/",
    references=(Reference("checkov", "CKV_K8S_14"), Reference("trivy", "KSV-0013")),
    applies=lambda resource_type: runs_images(resource_type) or resource_type in CHARTS,
    check=_check,
)
