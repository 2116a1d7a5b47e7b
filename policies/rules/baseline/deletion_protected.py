"""What holds state is not deleted by accident."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, UNKNOWN, flag, text
from policies.rules.rule import Reference, Resource, ResourceRule

# Type token: whether deletionProtection is on when left out.
_PROTECTED: Final[Mapping[str, bool]] = {
    "gcp:alloydb/cluster:Cluster": True,
    "gcp:bigquery/table:Table": True,
    "gcp:certificateauthority/authority:Authority": True,
    "gcp:cloudrunv2/job:Job": True,
    "gcp:cloudrunv2/service:Service": True,
    "gcp:cloudrunv2/workerPool:WorkerPool": True,
    "gcp:container/cluster:Cluster": True,
    "gcp:redis/instance:Instance": False,
    "gcp:secretmanager/secret:Secret": False,
    "gcp:spanner/database:Database": True,
    "gcp:sql/databaseInstance:DatabaseInstance": True,
}
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_KEPT: Final = ("PREVENT", "ABANDON")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _BUCKET:
        if flag(resource.props, "forceDestroy") in (True, UNKNOWN):
            yield "forceDestroy is not false"
        return
    found = flag(resource.props, "deletionProtection")
    on = _PROTECTED[resource.type] if found is MISSING else found is True
    if not on and not resource.protected and text(resource.props, "deletionPolicy") not in _KEPT:
        yield "is not protected from deletion"


RULE: Final = ResourceRule(
    id="rel-deletion-protection",
    display_name="What holds data is protected from deletion",
    description=(
        "Clusters, databases, tables, services, buckets, secrets and authorities are protected "
        "from deletion."
    ),
    why="One destroy in the wrong terminal would end the service and its data.",
    remediation=(
        "leave deletionProtection on, or set protect, or deletionPolicy to PREVENT; leave "
        "forceDestroy out."
    ),
    severity=Severity.HIGH,
    url="https://www.pulumi.com/docs/iac/concepts/options/protect/",
    references=(
        Reference("checkov", "CKV_GCP_119"),
        Reference("checkov", "CKV_GCP_120"),
        Reference("checkov", "CKV_GCP_121"),
        Reference("checkov", "CKV_GCP_122"),
    ),
    applies=lambda resource_type: resource_type == _BUCKET or resource_type in _PROTECTED,
    check=_check,
)
