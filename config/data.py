"""Data: lake buckets, warehouse datasets and the cache of answers."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import Text, bigquery, scheduled_query
from catalog.limits import storage as limits
from catalog.limits.network import MANAGED_SERVICES
from config.fields import Settings
from config.pipelines import FieldName, Pipeline, ResultField, Results, columns
from config.principals import Principal

BucketName = Annotated[
    str,
    Text(
        f"{limits.NOT_GOOGLE}[a-z](?:[a-z0-9-]{{0,18}}[a-z0-9])?",
        "1 to 20 lowercase letters, digits or hyphens, a letter first, no hyphen last, without"
        " google",
        "shorten or change it (with the project it becomes the name of a bucket)",
    ),
]
DatasetName = Annotated[str, bigquery.DATASET]
TableName = Annotated[str, bigquery.TABLE]
KmsKey = Annotated[str, limits.KMS_KEY]
Days = Annotated[int, limits.DAYS]


class LakeBucket(Settings):
    """A private bucket whose objects move to colder storage classes as they age."""

    region: str
    """Region of the bucket."""
    storage_class: Annotated[str, limits.STORAGE_CLASSES] = limits.STORAGE_CLASSES.default
    """Class of new objects."""
    colder_after_days: Mapping[Annotated[str, limits.COLDER_CLASSES], Days] = Field(
        default_factory=dict
    )
    """Age at which objects move to a colder storage class, by class."""
    delete_after_days: Days | None = None
    """Age at which objects are deleted. Default: never."""
    retention_days: Days | None = None
    """Age before which nobody can delete or replace an object. Default: any time."""
    retention_locked: bool = False
    """Whether nobody can shorten or remove the retention any more, and so the bucket be deleted
    before its objects may be. There is no way back."""
    soft_delete_days: Annotated[int, limits.SOFT_DELETE_DAYS] = limits.SOFT_DELETE_DAYS.default
    """Days a deleted object can be had back: 0, or 7 to 90."""
    versioning: bool = False
    """Whether replaced objects are kept as old versions."""
    old_versions_days: Annotated[int, limits.OLD_VERSIONS_DAYS] = limits.OLD_VERSIONS_DAYS.default
    """Days an old version is kept."""
    kms_key: KmsKey | None = None
    """Key of Cloud KMS, in the bucket's region, that encrypts objects. Default: that of
    `encryption`, or Google's own."""
    readers: tuple[Principal, ...] = ()
    """Who may read."""
    writers: tuple[Principal, ...] = ()
    """Who may add objects; not read, replace or delete them."""


class ScheduledQuery(Settings):
    """A query whose rows are added to a table, again and again, such as features."""

    query: str = Field(min_length=1, max_length=100_000)
    """GoogleSQL whose columns are those of the table, in their order. It names tables of
    data.warehouse, and results of pipelines, in braces: {inference.predictions},
    {sentiment_results.results}; @run_time is when it was due."""
    every: Annotated[str, scheduled_query.EVERY]
    """How often, or when: `6 hours`, `day 03:00`."""


class Table(Results):
    """A table of a dataset. Without fields it is a log of predictions."""

    fields: Annotated[tuple[ResultField, ...], bigquery.COLUMNS] = columns(bigquery.PREDICTION_LOG)
    """Columns. Default: those of a prediction log: request, time, model, consumer, prompt,
    response, tokens, latencies, how it ended, and metadata."""
    partition_field: FieldName = "requested_at"
    """Column of type TIMESTAMP, DATE or DATETIME the table is partitioned by, a partition a
    day."""
    scheduled_query: Annotated[ScheduledQuery | None, Field(exclude=True)] = None
    """What fills it. Default: whoever may write."""
    readers: tuple[Principal, ...] = ()
    """Who may read the table."""
    writers: tuple[Principal, ...] = ()
    """Who may add, change and read its rows."""


class View(Settings):
    """What its readers may see of tables they have no right on."""

    query: str = Field(min_length=1, max_length=100_000)
    """GoogleSQL, with tables and materialized views of the dataset in braces: SELECT model FROM
    {predictions}."""
    readers: tuple[Principal, ...] = ()
    """Who may read the view."""


class MaterializedView(View):
    """A query whose result BigQuery keeps and keeps fresh."""

    refresh_minutes: Annotated[int, bigquery.REFRESH_MINUTES] = bigquery.REFRESH_MINUTES.default
    """Minutes between refreshes at least."""


class Dataset(Settings):
    """A BigQuery dataset."""

    region: str
    """Region of the data."""
    tables: Annotated[Mapping[TableName, Table], bigquery.TABLES]
    """Tables by name."""
    materialized_views: Mapping[TableName, MaterializedView] = Field(default_factory=dict)
    """Materialized views of the tables, by name."""
    views: Mapping[TableName, View] = Field(default_factory=dict)
    """Authorised views by name, in a dataset of their own: <name>_views."""
    kms_key: KmsKey | None = None
    """Key of Cloud KMS, in the dataset's region, that encrypts tables. Default: that of
    `encryption`, or Google's own."""


class Cache(Settings):
    """A Redis instance in the platform's network, such as for answers of models."""

    region: str
    """Region of the instance."""
    range: Annotated[str, MANAGED_SERVICES]
    """Addresses of the network for managed services of Google, of which the instance takes
    some."""
    memory_gib: Annotated[int, limits.CACHE_GIB] = limits.CACHE_GIB.default
    """Size in GiB."""
    tier: Annotated[str, limits.CACHE_TIER] = limits.CACHE_TIER.default
    """basic is one node, empty after it fails; with standard a replica takes over."""
    read_replicas: Annotated[int, limits.READ_REPLICAS] = limits.READ_REPLICAS.default
    """Replicas that only answer reads, with tier standard and 5 GiB or more."""
    readers: tuple[Principal, ...] = ()
    """Who may read the password, and so use the cache."""


class Data(Settings):
    """Where data is kept beside the pipelines' own."""

    lake: Mapping[BucketName, LakeBucket] = Field(default_factory=dict)
    """Buckets by name."""
    warehouse: Mapping[DatasetName, Dataset] = Field(default_factory=dict)
    """BigQuery datasets by name."""
    cache: Cache | None = None
    """Redis cache in the network. Default: none."""
    lineage: bool = False
    """Whether it is kept which table came of which by what query, load or copy, and Vertex AI's
    models of which data. It holds for the whole project, and is billed by what is tracked."""

    @property
    def names_keys(self) -> bool:
        """Whether something is encrypted with a key of its own."""
        things = (*self.lake.values(), *self.warehouse.values())
        return any(thing.kms_key is not None for thing in things)

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables of the warehouse, as <dataset>.<table>."""
        return {
            f"{dataset}.{name}": table
            for dataset, settings in self.warehouse.items()
            for name, table in settings.tables.items()
        }

    @property
    def scheduled_queries(self) -> Mapping[str, ScheduledQuery]:
        """The queries that fill tables, by <dataset>.<table>."""
        return {
            name: table.scheduled_query
            for name, table in self.tables.items()
            if table.scheduled_query is not None
        }

    def needs_network(self, name: str, pipeline: Pipeline) -> bool:
        """Return whether a pipeline sends into the network: the cache and the gateway are there,
        and passwords leave by its rules alone."""
        reads = self.cache is not None and name in self.cache.readers
        return reads or bool(pipeline.secret_names or pipeline.models)
