"""Data: lake buckets, warehouse datasets and the cache of answers."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from config.fields import Matching, Range, Settings, label
from config.pipelines import FieldName, ResultField, Results
from config.principals import Principal

BucketName = Annotated[str, label(20, "with the project it becomes the name of a bucket")]
DatasetName = Annotated[
    str,
    Matching(
        "[a-z][a-z0-9_]{0,39}",
        "1 to 40 lowercase letters, digits or underscores, a letter first",
        "change it (it is the name of a BigQuery dataset)",
    ),
]
TableName = Annotated[
    str,
    Matching(
        "[a-z][a-z0-9_]{0,62}",
        "1 to 63 lowercase letters, digits or underscores, a letter first",
        "change it (it is the name of a BigQuery table)",
    ),
]
StorageClass = Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"]
ColderClass = Annotated[
    str, Matching("NEARLINE|COLDLINE|ARCHIVE", "NEARLINE, COLDLINE, ARCHIVE", "choose one of them")
]
KmsKey = Annotated[
    str,
    Matching(
        r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+",
        "a key of Cloud KMS: projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/"
        "<key>",
        "`gcloud kms keys list` shows them",
    ),
]
Days = Annotated[int, Field(ge=1, le=36500)]


class LakeBucket(Settings):
    """A private bucket whose objects move to colder storage classes as they age."""

    region: str = Field(description="Region of the bucket.")
    storage_class: StorageClass = Field(default="STANDARD", description="Class of new objects.")
    colder_after_days: Mapping[ColderClass, Days] = Field(
        default_factory=dict,
        description="Age at which objects move to a colder storage class, by class.",
    )
    delete_after_days: Days | None = Field(
        default=None, description="Age at which objects are deleted. Default: never."
    )
    retention_days: Days | None = Field(
        default=None,
        description="Age before which nobody can delete or replace an object. Default: any time.",
    )
    soft_delete_days: int = Field(
        default=7,
        ge=0,
        le=90,
        description="Days a deleted object can be had back: 0, or 7 to 90.",
    )
    versioning: bool = Field(
        default=False, description="Whether replaced objects are kept as old versions."
    )
    old_versions_days: Days = Field(default=30, description="Days an old version is kept.")
    kms_key: KmsKey | None = Field(
        default=None,
        description="Key of Cloud KMS, in the bucket's region, that encrypts objects. Default:"
        " Google's own keys.",
    )
    readers: tuple[Principal, ...] = Field(default=(), description="Who may read.")
    writers: tuple[Principal, ...] = Field(
        default=(), description="Who may add objects; not read, replace or delete them."
    )


_LOG_FIELDS: Final = (
    ResultField(name="request_id", type="STRING", mode="REQUIRED"),
    ResultField(name="requested_at", type="TIMESTAMP", mode="REQUIRED"),
    ResultField(name="model", type="STRING", mode="REQUIRED"),
    ResultField(name="consumer", type="STRING"),
    ResultField(name="prompt", type="STRING"),
    ResultField(name="response", type="STRING"),
    ResultField(name="prompt_tokens", type="INTEGER"),
    ResultField(name="completion_tokens", type="INTEGER"),
    ResultField(name="latency_ms", type="INTEGER"),
    ResultField(name="first_token_ms", type="INTEGER"),
    ResultField(name="finish_reason", type="STRING"),
    ResultField(name="metadata", type="JSON"),
)


class Table(Results):
    """A table of a dataset. Without fields it is a log of predictions."""

    fields: tuple[ResultField, ...] = Field(
        default=_LOG_FIELDS,
        min_length=1,
        description="Columns. Default: those of a prediction log: request, time, model, consumer,"
        " prompt, response, tokens, latencies, how it ended, and metadata.",
    )
    partition_field: FieldName = Field(
        default="requested_at",
        description="Column of type TIMESTAMP, DATE or DATETIME the table is partitioned by, a"
        " partition a day.",
    )
    readers: tuple[Principal, ...] = Field(default=(), description="Who may read the table.")
    writers: tuple[Principal, ...] = Field(
        default=(), description="Who may add, change and read its rows."
    )


class View(Settings):
    """What its readers may see of tables they have no right on."""

    query: str = Field(
        min_length=1,
        max_length=100_000,
        description="GoogleSQL, with tables and materialized views of the dataset in braces:"
        " SELECT model FROM {predictions}.",
    )
    readers: tuple[Principal, ...] = Field(default=(), description="Who may read the view.")


class MaterializedView(View):
    """A query whose result BigQuery keeps and keeps fresh."""

    refresh_minutes: int = Field(
        default=30, ge=1, le=10080, description="Minutes between refreshes at least."
    )


class Dataset(Settings):
    """A BigQuery dataset."""

    region: str = Field(description="Region of the data.")
    tables: Mapping[TableName, Table] = Field(min_length=1, description="Tables by name.")
    materialized_views: Mapping[TableName, MaterializedView] = Field(
        default_factory=dict, description="Materialized views of the tables, by name."
    )
    views: Mapping[TableName, View] = Field(
        default_factory=dict,
        description="Authorised views by name, in a dataset of their own: <name>_views.",
    )
    kms_key: KmsKey | None = Field(
        default=None,
        description="Key of Cloud KMS, in the dataset's region, that encrypts tables. Default:"
        " Google's own keys.",
    )


class Cache(Settings):
    """A Redis instance in the platform's network, such as for answers of models."""

    region: str = Field(description="Region of the instance.")
    range: Annotated[str, Range(longest_prefix=24)] = Field(
        description="Addresses of the network for managed services of Google, of which the"
        " instance takes some."
    )
    memory_gib: int = Field(default=1, ge=1, le=300, description="Size in GiB.")
    tier: Literal["basic", "standard"] = Field(
        default="basic",
        description="basic is one node, empty after it fails; with standard a replica takes over.",
    )
    read_replicas: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Replicas that only answer reads, with tier standard and 5 GiB or more.",
    )
    readers: tuple[Principal, ...] = Field(
        default=(), description="Who may read the password, and so use the cache."
    )


class Data(Settings):
    """Where data is kept beside the pipelines' own."""

    lake: Mapping[BucketName, LakeBucket] = Field(
        default_factory=dict, description="Buckets by name."
    )
    warehouse: Mapping[DatasetName, Dataset] = Field(
        default_factory=dict, description="BigQuery datasets by name."
    )
    cache: Cache | None = Field(
        default=None, description="Redis cache in the network. Default: none."
    )

    @property
    def kms_keys(self) -> Mapping[str, tuple[str, ...]]:
        """What encrypts with each key: bigquery, storage."""
        users: dict[str, set[str]] = {}
        for service, things in (("storage", self.lake), ("bigquery", self.warehouse)):
            for thing in things.values():
                if thing.kms_key is not None:
                    users.setdefault(thing.kms_key, set()).add(service)
        return {key: tuple(sorted(services)) for key, services in users.items()}
