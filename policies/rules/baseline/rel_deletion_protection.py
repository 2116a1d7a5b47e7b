"""What holds state is not deleted by accident."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from policies.shared.types import VIEWS
from resources.properties import MISSING, UNKNOWN, flag, get, is_mapping, text
from resources.resource import Resource

# Type token: whether deletionProtection is on when left out.
_PROTECTED: Final[Mapping[str, bool]] = {
    "gcp:alloydb/cluster:Cluster": True,
    "gcp:bigquery/table:Table": True,
    "gcp:bigtable/instance:Instance": True,
    "gcp:certificateauthority/authority:Authority": True,
    "gcp:cloudrunv2/job:Job": True,
    "gcp:cloudrunv2/service:Service": True,
    "gcp:cloudrunv2/workerPool:WorkerPool": True,
    "gcp:container/cluster:Cluster": True,
    "gcp:redis/instance:Instance": False,
    "gcp:secretmanager/regionalSecret:RegionalSecret": False,
    "gcp:secretmanager/secret:Secret": False,
    "gcp:spanner/database:Database": True,
    "gcp:sql/databaseInstance:DatabaseInstance": True,
}
# It has no switch of its own.
_PERIMETER: Final = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
# These call their protection by another name; the value that means it is on.
_OTHERWISE: Final[Mapping[str, tuple[str, str | bool]]] = {
    "gcp:bigtable/table:Table": ("deletionProtection", "PROTECTED"),
    "gcp:filestore/instance:Instance": ("deletionProtectionEnabled", True),
    "gcp:firestore/database:Database": ("deleteProtectionState", "DELETE_PROTECTION_ENABLED"),
}
# Emptied first, these go in spite of what they hold.
EMPTIED: Final = (
    "gcp:bigtable/instance:Instance",
    "gcp:spanner/instance:Instance",
    "gcp:storage/bucket:Bucket",
)
# It goes with the resource, for everything of the project that calls it.
_API: Final = "gcp:projects/service:Service"
_TAKES: Final = ("disableDependentServices", "disableOnDestroy")
# A table of BigQuery that is one of these holds nothing of its own: a new query makes it anew.
_TABLE: Final = "gcp:bigquery/table:Table"
_KEPT: Final = ("PREVENT", "ABANDON")
# Cloud Spanner itself refuses to drop it then, whoever asks.
_SPANNER: Final = "gcp:spanner/database:Database"
HELD: Final = frozenset((_PERIMETER, *_PROTECTED, *_OTHERWISE))


def _is_on(resource: Resource) -> bool:
    if resource.type == _PERIMETER:
        return False
    if resource.type in _OTHERWISE:
        name, value = _OTHERWISE[resource.type]
        return get(resource.props, name) == value
    found = flag(resource.props, "deletionProtection")
    return _PROTECTED[resource.type] if found is MISSING else found is True


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in EMPTIED and flag(resource.props, "forceDestroy") in (True, UNKNOWN):
        yield "forceDestroy is not false"
    for name in _TAKES if resource.type == _API else ():
        if flag(resource.props, name) is True:
            yield f"{name} takes APIs from all of the project"
    if resource.type not in HELD:
        return
    if resource.type == _TABLE and any(is_mapping(get(resource.props, view)) for view in VIEWS):
        return
    kept = resource.protected or text(resource.props, "deletionPolicy") in _KEPT
    if not kept and not _is_on(resource):
        yield "is not protected from deletion"
    if resource.type == _SPANNER and flag(resource.props, "enableDropProtection") is not True:
        yield "enableDropProtection is not true"


RULE: Final = ResourceRule(
    id="rel-deletion-protection",
    display_name="What holds data is protected from deletion",
    description=(
        "Clusters, databases, tables, services, buckets, secrets, authorities and perimeters are "
        "protected from deletion, and no API goes with its resource."
    ),
    why="One destroy in the wrong terminal would end the service and its data.",
    remediation=(
        "leave deletionProtection on, or set protect, or deletionPolicy to PREVENT; leave "
        "forceDestroy out."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
    references=(
        Reference("checkov", "CKV_GCP_119"),
        Reference("checkov", "CKV_GCP_120"),
        Reference("checkov", "CKV_GCP_121"),
        Reference("checkov", "CKV_GCP_122"),
    ),
    applies=lambda resource_type: resource_type in (*EMPTIED, *HELD, _API),
    check=_check,
)
