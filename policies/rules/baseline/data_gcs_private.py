"""A bucket cannot be opened to the public."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import all_at
from resources.resource import Resource

_CLOSED: Final = (
    Expected("uniformBucketLevelAccess", (True,)),
    Expected("publicAccessPrevention", ("enforced",)),
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield from unmet(resource.props, _CLOSED)
    if "*" in all_at(resource.props, ("cors", "*", "origins", "*")):
        yield "cors lets the pages of every site read with their visitors' access"


def _remediate(_resource: Resource, _limits: Limits) -> Mapping[str, object]:
    return {each.path: each.allowed[0] for each in _CLOSED}


RULE: Final = ResourceRule(
    id="data-gcs-private",
    display_name="Buckets cannot be public",
    description=(
        "A bucket has uniform access and enforced prevention of public access, and no site of all "
        "reads it through browsers."
    ),
    why="Without both, one object rule or one grant opens the data to everyone.",
    remediation=(
        "set uniformBucketLevelAccess to true and publicAccessPrevention to enforced, and name "
        "origins in cors."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/storage/docs/public-access-prevention",
    references=(
        Reference("CIS Google Cloud", "5.2"),
        Reference("checkov", "CKV_GCP_29"),
        Reference("checkov", "CKV_GCP_114"),
        Reference("trivy", "GCP-0002"),
    ),
    applies=lambda resource_type: resource_type == "gcp:storage/bucket:Bucket",
    check=_check,
    remediate=_remediate,
)
