"""Objects of a bucket can be restored, and end.

Usage logs in a bucket of their own (`logging`, as checkov CKV_GCP_62 wants them) are not asked for:
audit logs tell who read what, need no second bucket, and `iam-audit-logs` asks for them.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, entries, flag, number, text
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    kept = number(resource.props, "softDeletePolicy", "retentionDurationSeconds")
    if kept in (0, UNKNOWN) and flag(resource.props, "versioning", "enabled") is not True:
        yield "has neither versioning nor soft delete"
    log_bucket = text(resource.props, "logging", "logBucket")
    if isinstance(log_bucket, str) and log_bucket in (text(resource.props, "name"), resource.name):
        yield "logs into itself"
    if entries(resource.props, "lifecycleRules") in (MISSING, ()):
        yield "has no lifecycleRules"


RULE: Final = ResourceRule(
    id="data-gcs-hygiene",
    display_name="Buckets can restore and end",
    description="A bucket has versioning or soft delete, and lifecycle rules.",
    why="One wrong command deletes for good; and what nobody deletes is billed for ever.",
    remediation=(
        "leave softDeletePolicy at its seven days or enable versioning, and set lifecycleRules."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/storage/docs/soft-delete",
    references=(
        Reference("checkov", "CKV_GCP_63"),
        Reference("checkov", "CKV_GCP_78"),
        Reference("trivy", "GCP-0077"),
        Reference("trivy", "GCP-0078"),
    ),
    applies=lambda resource_type: resource_type == "gcp:storage/bucket:Bucket",
    check=_check,
)
