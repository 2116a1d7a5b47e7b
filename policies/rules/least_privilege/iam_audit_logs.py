"""Reading and writing of data is logged; `rel-logs-kept` holds that nobody is exempt."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import entries, text
from resources.resource import Resource

_CONFIGS: Final = (
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
_NEEDED: Final = frozenset({"DATA_READ", "DATA_WRITE"})


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    logged: set[str] = set()
    for resource in resources:
        if resource.type not in _CONFIGS:
            continue
        logs = entries(resource.props, "auditLogConfigs")
        for log in logs if isinstance(logs, tuple) else ():
            kind = text(log, "logType")
            if text(resource.props, "service") == "allServices" and isinstance(kind, str):
                logged.add(kind)
    for kind in sorted(_NEEDED - logged):
        yield StackFinding(f"has no audit log of {kind} for all services")


RULE: Final = StackRule(
    id="iam-audit-logs",
    display_name="Data access is logged",
    description="The project logs data access of all services.",
    why="Without these logs nobody can tell what a stolen account has read.",
    remediation=("make an IAMAuditConfig for allServices with DATA_READ and DATA_WRITE."),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/logging/docs/audit/configure-data-access",
    references=(
        Reference("CIS Google Cloud", "2.1"),
        Reference("checkov", "CKV2_GCP_5"),
        Reference("trivy", "GCP-0079"),
    ),
    check=_check,
)
