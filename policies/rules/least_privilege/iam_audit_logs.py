"""Reading and writing of data is logged; `rel-logs-kept` holds that nobody is exempt."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.reach import RUNS_AS
from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import UNKNOWN, entries, text
from resources.resource import Resource

_CONFIGS: Final = (
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
_NEEDED: Final = frozenset({"DATA_READ", "DATA_WRITE"})
_ALL: Final = "allServices"
_WORKLOADS: Final = frozenset({*RUNS_AS, "gcp:container/nodePool:NodePool"})
# Who takes an account's credentials is told by the logs of both.
_CREDENTIALS: Final = ("iam.googleapis.com", "iamcredentials.googleapis.com")
# What holds data, and the API by which it is read and written. BigQuery's is logged anyhow:
# https://cloud.google.com/bigquery/docs/introduction-audit-workloads
_HOLDERS: Final[Mapping[str, str]] = {
    "gcp:artifactregistry/repository:Repository": "artifactregistry.googleapis.com",
    "gcp:bigtable/instance:Instance": "bigtable.googleapis.com",
    "gcp:firestore/database:Database": "datastore.googleapis.com",
    "gcp:kms/cryptoKey:CryptoKey": "cloudkms.googleapis.com",
    "gcp:pubsub/topic:Topic": "pubsub.googleapis.com",
    "gcp:secretmanager/regionalSecret:RegionalSecret": "secretmanager.googleapis.com",
    "gcp:secretmanager/secret:Secret": "secretmanager.googleapis.com",
    "gcp:spanner/database:Database": "spanner.googleapis.com",
    "gcp:sql/databaseInstance:DatabaseInstance": "cloudsql.googleapis.com",
    "gcp:storage/bucket:Bucket": "storage.googleapis.com",
    "gcp:vertex/aiDataset:AiDataset": "aiplatform.googleapis.com",
    "gcp:vertex/aiEndpoint:AiEndpoint": "aiplatform.googleapis.com",
    "gcp:vertex/aiIndex:AiIndex": "aiplatform.googleapis.com",
}


def _logged(resources: Sequence[Resource]) -> Iterator[tuple[str, str]]:
    """Yield each API with a kind of access that is logged; what isn't known yet may be any."""
    for resource in resources:
        if resource.type not in _CONFIGS:
            continue
        api, logs = text(resource.props, "service"), entries(resource.props, "auditLogConfigs")
        of = _ALL if api is UNKNOWN else str(api)
        found = [text(log, "logType") for log in logs] if isinstance(logs, tuple) else [logs]
        for kind in found:
            yield from ((of, each) for each in ([str(kind)] if kind is not UNKNOWN else _NEEDED))


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    logged = {*_logged(resources)}
    apis = {_HOLDERS[each.type] for each in resources if each.type in _HOLDERS}
    # A stack of accounts alone leaves their use, and the logs of it, to others.
    if any(each.type in _WORKLOADS for each in resources):
        apis.update(_CREDENTIALS)
    for api in sorted(apis):
        for kind in sorted(_NEEDED):
            if not logged & {(api, kind), (_ALL, kind)}:
                yield StackFinding(f"has no audit log of {kind} for {api}")


RULE: Final = StackRule(
    id="iam-audit-logs",
    display_name="Data access is logged",
    description="The project logs access to what holds data in the stack.",
    why="Without these logs nobody can tell what a stolen account has read.",
    remediation=(
        "make an IAMAuditConfig with DATA_READ and DATA_WRITE for each API, or for allServices; a "
        "stack file says `audit`."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/logging/docs/audit/configure-data-access",
    references=(
        Reference("CIS Google Cloud", "2.1"),
        Reference("checkov", "CKV2_GCP_5"),
        Reference("trivy", "GCP-0079"),
    ),
    check=_check,
)
