"""Who may act as a service account is named one by one."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.capabilities import of_role
from policies.access.grants import grants, is_on_service_account
from policies.access.principals import project_of
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.properties import show
from resources.resource import Resource

_SET: Final = re.compile(
    r"principalSet://(?!.*\.svc\.id\.goog/).*/attribute\.(?P<name>[a-z0-9_]+)/(?P<value>.+)"
)
_PEOPLE: Final = re.compile(r"(user|group):")
_ACTS: Final = frozenset({"act-as", "impersonate", "make-keys", "own-accounts"})
_BROAD: Final = (
    (re.compile(r"all(authenticated)?users", re.IGNORECASE), "the public"),
    (re.compile(r"domain:.*"), "a whole domain"),
    (
        re.compile(
            r"principalSet://(.*/(\*|namespace/.*|kubernetes\.cluster/.*)"
            r"|(cloudresourcemanager\.googleapis\.com|goog)/.*)"
        ),
        "a set of workloads",
    ),
    (re.compile(r"project(Owner|Editor|Viewer):.*"), "everyone who has a basic role"),
    (re.compile(r"serviceAccount:[^@\[]*\.svc\.id\.goog"), "a whole workload pool"),
    (
        re.compile(r"serviceAccount:[^@\[]*\.svc\.id\.goog\[[^/\]]*/default\]"),
        "the default Kubernetes service account, which every pod without its own runs as",
    ),
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedProjects")
    attributes = limits.names("exactAttributes")
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str):
                continue
            for pattern, whom in _BROAD:
                if pattern.fullmatch(member):
                    yield f"grants {show(grant.role)} to {whom}"
            match = _SET.fullmatch(member)
            if match and (match["name"] not in attributes or "*" in match["value"]):
                yield f"grants {show(grant.role)} to everything that shares an attribute"
            may = of_role(grant.role) if isinstance(grant.role, str) else None
            if (
                may
                and may & _ACTS
                and _PEOPLE.match(member)
                and member not in limits.names("people")
            ):
                yield f"grants {show(grant.role)} to {show(member)}, people who then act as it"
            project = project_of(member)
            if project is not None and project not in allowed:
                yield f"grants {show(grant.role)} to {show(member)} of another project"


RULE: Final = ResourceRule(
    id="iam-sa-impersonation-narrow",
    display_name="Service account access is narrow",
    description="A service account is open to named principals of the allowed projects only.",
    why="Each of those members holds all the access of the account.",
    remediation=(
        "name the exact principal, for a pod "
        "serviceAccount:PROJECT.svc.id.goog[NAMESPACE/SERVICE_ACCOUNT], for CI "
        "principalSet://.../attribute.repository/OWNER/REPOSITORY."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/best-practices-service-accounts",
    limits=(
        NamesLimit("allowedProjects", "Projects whose accounts and pods may act as an account"),
        NamesLimit("people", "Users and groups that may act as an account", default=()),
        NamesLimit(
            "exactAttributes",
            "Attributes of federated identities that tell a single repository or pipeline",
            default=(
                "job_workflow_ref",
                "project_id",
                "project_path",
                "repository",
                "repository_id",
                "terraform_workspace_id",
                "workflow_ref",
            ),
        ),
    ),
    applies=is_on_service_account,
    check=_check,
)
