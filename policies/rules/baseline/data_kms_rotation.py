"""A key gets a new version before the old one is old."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import Reference, ResourceRule
from resources.durations import seconds
from resources.properties import MISSING, UNKNOWN, Absence, flag, show, text
from resources.resource import Resource

_DAY: Final = 86400.0


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    longest, shortest = limits.number("maxDays"), limits.number("minDestroyDays")
    kept, least = seconds(resource.props, "destroyScheduledDuration"), show(shortest, "day")
    if kept is UNKNOWN:
        yield f"its destroyScheduledDuration is {kept.value}, at least {least} wanted"
    elif isinstance(kept, float) and kept < shortest * _DAY:
        yield f"destroys versions after {show(kept / _DAY, 'day')}, at least {least} wanted"
    # Only symmetric keys that Google makes can rotate by themselves.
    purpose = text(resource.props, "purpose")
    symmetric = purpose in (MISSING, UNKNOWN, "ENCRYPT_DECRYPT")
    if not symmetric or flag(resource.props, "importOnly") is True:
        return
    period = seconds(resource.props, "rotationPeriod")
    if isinstance(period, Absence):
        yield f"its rotationPeriod is {period.value}, allowed {show(longest, 'day')}"
    elif period > longest * _DAY:
        yield f"rotates every {show(period / _DAY, 'day')}, allowed {show(longest, 'day')}"


RULE: Final = ResourceRule(
    id="data-kms-rotation",
    display_name="Keys rotate",
    description=(
        "A symmetric key rotates within the cap, and its versions are kept a while after "
        "destruction is asked for."
    ),
    why="The longer one version is used, the more a leak of it opens.",
    remediation=(
        "set rotationPeriod to at most 7776000s, and leave destroyScheduledDuration at its 30 days."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kms/docs/key-rotation",
    references=(
        Reference("CIS Google Cloud", "1.10"),
        Reference("checkov", "CKV_GCP_43"),
        Reference("trivy", "GCP-0065"),
    ),
    limits=(
        NumberLimit("maxDays", "Longest use of one version of a key, in days", default=90),
        NumberLimit(
            "minDestroyDays", "Shortest wait before a version is destroyed, in days", default=7
        ),
    ),
    applies=lambda resource_type: resource_type == "gcp:kms/cryptoKey:CryptoKey",
    check=_check,
)
