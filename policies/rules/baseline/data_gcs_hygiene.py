"""Objects of a bucket end.

Usage logs in a bucket of their own (`logging`, as checkov CKV_GCP_62 wants them) are not asked for:
audit logs tell who read what, need no second bucket, and `iam-audit-logs` asks for them.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, entries, text
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    log_bucket = text(resource.props, "logging", "logBucket")
    if isinstance(log_bucket, str) and log_bucket in (text(resource.props, "name"), resource.name):
        yield "logs into itself"
    if entries(resource.props, "lifecycleRules") in (MISSING, ()):
        yield "has no lifecycleRules"


RULE: Final = ResourceRule(
    id="data-gcs-hygiene",
    display_name="Buckets end",
    description="A bucket has lifecycle rules, and does not log into itself.",
    why="What nobody deletes is billed for ever.",
    remediation="set lifecycleRules, and log into another bucket.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/storage/docs/lifecycle",
    references=(
        Reference("checkov", "CKV_GCP_63"),
        Reference("trivy", "GCP-0077"),
    ),
    applies=lambda resource_type: resource_type == "gcp:storage/bucket:Bucket",
    check=_check,
)
