"""What holds data is encrypted with a key of one's own."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, peek
from policies.rules.rule import Reference, Resource, ResourceRule

# Type token: where the key is named; one of the paths is enough.
_KEYS: Final[Mapping[str, tuple[tuple[str | int, ...], ...]]] = {
    "gcp:alloydb/cluster:Cluster": (("encryptionConfig", "kmsKeyName"),),
    "gcp:apigee/organization:Organization": (("runtimeDatabaseEncryptionKeyName",),),
    "gcp:artifactregistry/repository:Repository": (("kmsKeyName",),),
    "gcp:bigquery/dataset:Dataset": (("defaultEncryptionConfiguration", "kmsKeyName"),),
    "gcp:cloudrunv2/job:Job": (("template", "template", "encryptionKey"),),
    "gcp:cloudrunv2/service:Service": (("template", "encryptionKey"),),
    "gcp:cloudrunv2/workerPool:WorkerPool": (("template", "encryptionKey"),),
    "gcp:container/cluster:Cluster": (("databaseEncryption", "keyName"),),
    "gcp:pubsub/topic:Topic": (("kmsKeyName",),),
    "gcp:redis/instance:Instance": (("customerManagedKey",),),
    "gcp:secretmanager/secret:Secret": (
        ("replication", "auto", "customerManagedEncryption", "kmsKeyName"),
        ("replication", "userManaged", "replicas", 0, "customerManagedEncryption", "kmsKeyName"),
    ),
    "gcp:spanner/database:Database": (
        ("encryptionConfig", "kmsKeyName"),
        ("encryptionConfig", "kmsKeyNames", 0),
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (("encryptionKeyName",),),
    "gcp:storage/bucket:Bucket": (("encryption", "defaultKmsKeyName"),),
    "gcp:vertex/aiDataset:AiDataset": (("encryptionSpec", "kmsKeyName"),),
    "gcp:vertex/aiEndpoint:AiEndpoint": (("encryptionSpec", "kmsKeyName"),),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": (("encryptionSpec", "kmsKeyName"),),
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    # A key that is not known yet is wired from another resource.
    paths = _KEYS[resource.type]
    if all(peek(resource.props, *path) in (MISSING, "") for path in paths):
        yield f"{'.'.join(str(step) for step in paths[0])} is not set"


RULE: Final = ResourceRule(
    id="data-cmek",
    display_name="Data is encrypted with own keys",
    description=(
        "Buckets, topics, datasets, repositories, secrets, clusters, services, databases and "
        "models name a KMS key."
    ),
    why=(
        "With a key of one's own, access to the data can be cut off and every use of the key is "
        "logged."
    ),
    remediation="make a gcp.kms.CryptoKey, grant it to the service agent and name it here.",
    severity=Severity.MEDIUM,
    url="https://cloud.google.com/kms/docs/cmek",
    references=(
        Reference("CIS Google Cloud", "7.2"),
        Reference("CIS Google Cloud", "7.3"),
        Reference("checkov", "CKV_GCP_80"),
        Reference("checkov", "CKV_GCP_81"),
        Reference("checkov", "CKV_GCP_83"),
        Reference("checkov", "CKV_GCP_84"),
        Reference("checkov", "CKV_GCP_92"),
        Reference("trivy", "GCP-0066"),
    ),
    applies=lambda resource_type: resource_type in _KEYS,
    check=_check,
)
