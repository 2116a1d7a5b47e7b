"""Service accounts of other projects get no access."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NamesLimit
from policies.rules.grants import grants, is_grant
from policies.rules.peek import show
from policies.rules.rule import Resource, ResourceRule

# Google's own agents are service-<project number>@..., live in gcp-sa-... projects, or encrypt for
# BigQuery.
_ACCOUNT: Final = re.compile(
    r"serviceAccount:(?!(?:service|project)-\d+@|bq-\d+@bigquery-encryption\.)[^@]+"
    r"@(?!gcp-sa-)([a-z0-9-]+)\.iam\.gserviceaccount\.com"
)
_WORKLOAD: Final = re.compile(r"serviceAccount:([a-z0-9-]+)\.svc\.id\.goog(\[.*)?")


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedProjects")
    for grant in grants(resource):
        for member in grant.members:
            if not isinstance(member, str):
                continue
            match = _ACCOUNT.fullmatch(member) or _WORKLOAD.fullmatch(member)
            if match and match[1] not in allowed:
                yield f"grants {show(grant.role)} to {show(member)} of another project"


RULE: Final = ResourceRule(
    id="iam-no-cross-project-sa",
    display_name="No service accounts of other projects",
    description=(
        "Service accounts and workloads that are granted access belong to the allowed projects."
    ),
    why="Whoever administers the other project can take over the account, and with it the access.",
    remediation=(
        "make a service account in the project that uses it, or allow the project in the policy "
        "config."
    ),
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/iam/docs/attach-service-accounts#attaching-different-project",
    limits=(
        NamesLimit("allowedProjects", "Projects whose service accounts may be granted access"),
    ),
    applies=is_grant,
    check=_check,
)
