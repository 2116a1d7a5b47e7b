"""Kubernetes workloads that get access are named exactly."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_grant
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import show
from resources.resource import Resource

_ROLE: Final = "roles/iam.workloadIdentityUser"
_POD: Final = re.compile(
    r"serviceAccount:[^@\[]+\.svc\.id\.goog\[[^/\]*]+/(?!default\])[^/\]*]+\]"
    r"|principal://.+\.svc\.id\.goog/subject/ns/[^/*]+/sa/(?!default$)[^/*]+"
)
_CLUSTER_MEMBER: Final = re.compile(
    r"(serviceAccount:[^@\[]*|principal(Set)?://.*)\.svc\.id\.goog.*"
)
# Workloads outside of clusters, which `iam-sa-impersonation-narrow` judges.
_EXTERNAL: Final = re.compile(r"principal(Set)?://(?!.*\.svc\.id\.goog/).+")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str) or _POD.fullmatch(member):
                continue
            if _CLUSTER_MEMBER.fullmatch(member):
                yield f"grants {show(grant.role)} to more than one named Kubernetes service account"
            elif grant.role == _ROLE and not _EXTERNAL.fullmatch(member):
                yield f"grants {_ROLE} to something other than one workload"


RULE: Final = ResourceRule(
    id="iam-wi-binding-exact",
    display_name="Pods are named one by one",
    description=(
        "Access for GKE workloads names one namespace and one Kubernetes service account, not "
        "default."
    ),
    why="A namespace-wide or default member gives the access to every pod someone may start there.",
    remediation=(
        "name serviceAccount:PROJECT.svc.id.goog[NAMESPACE/ACCOUNT] or "
        "principal://.../subject/ns/NAMESPACE/sa/ACCOUNT."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity",
    applies=is_grant,
    check=_check,
)
