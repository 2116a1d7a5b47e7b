"""What holds data is encrypted with a key of one's own.

Tables are not asked: they take the key of their dataset.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, entries, get, text
from resources.resource import Resource

# Type token: where the key is named, `[]` for each of a list; one of the paths is enough.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:alloydb/cluster:Cluster": ("encryptionConfig.kmsKeyName",),
    "gcp:apigee/instance:Instance": ("diskEncryptionKeyName",),
    "gcp:apigee/organization:Organization": ("runtimeDatabaseEncryptionKeyName",),
    "gcp:artifactregistry/repository:Repository": ("kmsKeyName",),
    "gcp:bigquery/dataset:Dataset": ("defaultEncryptionConfiguration.kmsKeyName",),
    "gcp:bigtable/instance:Instance": ("clusters[].kmsKeyName",),
    "gcp:cloudfunctions/function:Function": ("kmsKeyName",),
    "gcp:cloudfunctionsv2/function:Function": ("kmsKeyName",),
    "gcp:cloudrunv2/job:Job": ("template.template.encryptionKey",),
    "gcp:cloudrunv2/service:Service": ("template.encryptionKey",),
    "gcp:cloudrunv2/workerPool:WorkerPool": ("template.encryptionKey",),
    "gcp:compute/disk:Disk": ("diskEncryptionKey.kmsKeySelfLink",),
    "gcp:container/cluster:Cluster": ("databaseEncryption.keyName",),
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": ("kmsKeyName",),
    "gcp:dataflow/job:Job": ("kmsKeyName",),
    "gcp:dataproc/cluster:Cluster": ("clusterConfig.encryptionConfig.kmsKeyName",),
    "gcp:filestore/instance:Instance": ("kmsKeyName",),
    "gcp:firestore/database:Database": ("cmekConfig.kmsKeyName",),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": ("cmekSettings.kmsKeyName",),
    "gcp:memorystore/instance:Instance": ("kmsKey",),
    "gcp:pubsub/topic:Topic": ("kmsKeyName",),
    "gcp:redis/cluster:Cluster": ("kmsKey",),
    "gcp:redis/instance:Instance": ("customerManagedKey",),
    "gcp:secretmanager/regionalSecret:RegionalSecret": ("customerManagedEncryption.kmsKeyName",),
    "gcp:secretmanager/secret:Secret": (
        "replication.auto.customerManagedEncryption.kmsKeyName",
        "replication.userManaged.replicas[].customerManagedEncryption.kmsKeyName",
    ),
    "gcp:spanner/database:Database": (
        "encryptionConfig.kmsKeyName",
        "encryptionConfig.kmsKeyNames[]",
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": ("encryptionKeyName",),
    "gcp:storage/bucket:Bucket": ("encryption.defaultKmsKeyName",),
    "gcp:vertex/aiDataset:AiDataset": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiEndpoint:AiEndpoint": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiIndex:AiIndex": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiPersistentResource:AiPersistentResource": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiReasoningEngine:AiReasoningEngine": ("encryptionSpec.kmsKeyName",),
    "gcp:vertex/aiTensorboard:AiTensorboard": ("encryptionSpec.kmsKeyName",),
    "gcp:workbench/instance:Instance": ("gceSetup.bootDisk.kmsKey",),
}
_CLUSTER: Final = "gcp:container/cluster:Cluster"


def _is_named(props: object, path: str) -> bool:
    # A key that is not known yet is wired from another resource.
    steps, is_list, rest = path.partition("[]")
    if not is_list:
        return get(props, *steps.split(".")) not in (MISSING, "")
    found = entries(props, *steps.split("."))
    if not isinstance(found, tuple):
        return found is not MISSING
    tail = rest.removeprefix(".")
    each_is = (_is_named(each, tail) if tail else each not in (MISSING, "") for each in found)
    return bool(found) and all(each_is)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    paths = _KEYS[resource.type]
    if not any(_is_named(resource.props, path) for path in paths):
        yield f"{paths[0]} is not set"
    elif resource.type == _CLUSTER and (
        text(resource.props, "databaseEncryption", "state") != "ENCRYPTED"
    ):
        yield "databaseEncryption.state is not ENCRYPTED"


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
    level=EnforcementLevel.DISABLED,
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
