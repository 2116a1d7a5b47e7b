"""Tags do not move, images are scanned, old ones go."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, entries, text
from resources.resource import Resource

_IMMUTABLE: Final = (Expected("dockerConfig.immutableTags", (True,)),)
_SCANNED: Final = (
    Expected("vulnerabilityScanningConfig.enablementConfig", ("INHERITED",), unset=True),
)
_OWN: Final = (MISSING, "STANDARD_REPOSITORY")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    # A remote or virtual repository shows the tags of another one.
    if text(resource.props, "format") == "DOCKER" and text(resource.props, "mode") in _OWN:
        yield from unmet(resource.props, _IMMUTABLE)
    yield from unmet(resource.props, _SCANNED)
    # A mirror keeps what was asked for, and gets the rest again.
    if text(resource.props, "mode") in _OWN and entries(resource.props, "cleanupPolicies") in (
        MISSING,
        (),
    ):
        yield "has no cleanupPolicies"


RULE: Final = ResourceRule(
    id="sup-ar-immutable-scan",
    display_name="Repositories keep and scan images",
    description=(
        "A repository of one's own images has immutable tags and is cleaned up, and every "
        "repository is scanned."
    ),
    why="A tag that moves runs what nobody tested; an image nobody scans keeps its holes.",
    remediation=(
        "set dockerConfig.immutableTags, leave vulnerabilityScanningConfig inherited, and set "
        "cleanupPolicies."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/artifact-registry/docs/docker/create-docker-repositories",
    references=(Reference("checkov", "CKV2_GCP_11"),),
    applies=lambda resource_type: resource_type == "gcp:artifactregistry/repository:Repository",
    check=_check,
)
