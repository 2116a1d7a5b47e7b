"""A dataset is open to nobody at large and is not emptied with the stack."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import UNKNOWN, entries, flag, text
from policies.rules.rule import Reference, Resource, ResourceRule

_PUBLIC: Final = frozenset({"allAuthenticatedUsers", "allUsers"})


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if flag(resource.props, "deleteContentsOnDestroy") in (True, UNKNOWN):
        yield "deleteContentsOnDestroy is not false"
    accesses = entries(resource.props, "accesses")
    for access in accesses if isinstance(accesses, tuple) else ():
        if {text(access, "specialGroup"), text(access, "iamMember")} & _PUBLIC:
            yield "gives access to all users"


RULE: Final = ResourceRule(
    id="data-bq-access",
    display_name="Datasets are closed and kept",
    description="A dataset has no access for all users, and its tables are not deleted with it.",
    why="One destroy would delete years of results; one entry would show them to everyone.",
    remediation="remove the entry from accesses, and leave deleteContentsOnDestroy out.",
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/bigquery/docs/dataset-access-controls",
    references=(
        Reference("CIS Google Cloud", "7.1"),
        Reference("checkov", "CKV_GCP_15"),
        Reference("trivy", "GCP-0046"),
    ),
    applies=lambda resource_type: resource_type == "gcp:bigquery/dataset:Dataset",
    check=_check,
)
