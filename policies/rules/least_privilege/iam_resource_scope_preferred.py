"""Roles on data are granted on the single resource."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.grants import grants, is_wide
from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.properties import show
from resources.resource import Resource

# Services whose resources take grants of their own. bigquery.jobUser and the writers of logs,
# metrics and traces have no finer scope than the project.
_DATA_ROLE: Final = re.compile(
    r"roles/(storage\.|bigquery\.data|bigquery\.filteredDataViewer|secretmanager\.|pubsub\."
    r"|cloudkms\.|run\.(invoker|servicesInvoker|jobsExecutor)|artifactregistry\.).*"
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedRoles")
    for grant in grants(resource):
        role = grant.role
        if isinstance(role, str) and role not in allowed and _DATA_ROLE.fullmatch(role):
            yield f"grants {show(role)} on a whole project, folder or organization"


RULE: Final = ResourceRule(
    id="iam-resource-scope-preferred",
    display_name="Data roles on single resources",
    description=(
        "Roles on buckets, datasets, secrets, topics, keys, services and repositories are granted "
        "on these."
    ),
    why="On a project the role covers every such resource, also those made later.",
    remediation="use the IAMMember resource of the bucket, dataset, secret, topic, key or service.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/iam/docs/resource-hierarchy-access-control",
    limits=(
        NamesLimit(
            "allowedRoles", "Data roles that may be granted on a project after all", default=()
        ),
    ),
    applies=is_wide,
    check=_check,
)
