"""A dataset is open to nobody at large, nor listed for all, and is not emptied with the stack."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.conventions import PUBLIC
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import UNKNOWN, Absence, entries, flag, text
from resources.resource import Resource

# Where anybody finds and may ask for what it lists.
_LISTS: Final = (
    "gcp:bigqueryanalyticshub/dataExchange:DataExchange",
    "gcp:bigqueryanalyticshub/listing:Listing",
)
_FOUND: Final = "DISCOVERY_TYPE_PUBLIC"
_ACCESS: Final = "gcp:bigquery/datasetAccess:DatasetAccess"


def _is_public(access: object) -> bool:
    return bool({text(access, "specialGroup"), text(access, "iamMember")} & PUBLIC)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _LISTS:
        if text(resource.props, "discoveryType") == _FOUND:
            yield "is listed for everyone"
        return
    if resource.type == _ACCESS:
        accesses: tuple[object, ...] | Absence = (resource.props,)
    else:
        accesses = entries(resource.props, "accesses")
        if flag(resource.props, "deleteContentsOnDestroy") in (True, UNKNOWN):
            yield "deleteContentsOnDestroy is not false"
    for access in accesses if isinstance(accesses, tuple) else ():
        if _is_public(access):
            yield "gives access to all users"


RULE: Final = ResourceRule(
    id="data-bq-access",
    display_name="Datasets are closed and kept",
    description=(
        "A dataset has no access for all users and no public listing, and its tables are not "
        "deleted with it."
    ),
    why="One destroy would delete years of results; one entry would show them to everyone.",
    remediation=(
        "remove the entry from accesses, set discoveryType to DISCOVERY_TYPE_PRIVATE, and leave "
        "deleteContentsOnDestroy out."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/bigquery/docs/dataset-access-controls",
    references=(
        Reference("CIS Google Cloud", "7.1"),
        Reference("checkov", "CKV_GCP_15"),
        Reference("trivy", "GCP-0046"),
    ),
    applies=lambda token: token in ("gcp:bigquery/dataset:Dataset", _ACCESS, *_LISTS),
    check=_check,
)
