"""Pipelines: messages in, a Cloud Run service that works on each, rows out."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from catalog.limits import Text, bigquery, storage
from catalog.limits import pubsub as limits
from config.containers import Container
from config.data_quality import Quality
from config.fields import Settings
from config.principals import Principal

PipelineName = Annotated[
    str,
    Text(
        f"(?!goog){storage.NOT_GOOGLE}[a-z][a-z0-9-]{{1,18}}[a-z0-9]",
        "3 to 20 lowercase letters, digits or hyphens, a letter first, no hyphen last, not goog"
        " first, without google",
        "change it (it becomes part of topic and bucket names and service account ids)",
    ),
]
FieldName = Annotated[str, bigquery.COLUMN]
# Granted by the stack, once all pipelines are made: the component takes none.
Principals = Annotated[tuple[Principal, ...], Field(exclude=True)]


class Retry(Settings):
    """How long Pub/Sub waits before it delivers a failed message again."""

    minimum_seconds: Annotated[int, limits.RETRY_MINIMUM_SECONDS] = (
        limits.RETRY_MINIMUM_SECONDS.default
    )
    """Seconds before the first further delivery."""
    maximum_seconds: Annotated[int, limits.RETRY_MAXIMUM_SECONDS] = (
        limits.RETRY_MAXIMUM_SECONDS.default
    )
    """Seconds the growing wait ends at."""


class MessageSchema(Settings):
    """The shape every published message must have; Pub/Sub refuses others."""

    type: Annotated[str, limits.SCHEMA_TYPE]
    """Language of the definition."""
    definition: str = Field(min_length=1, max_length=300_000)
    """The schema itself, as text."""
    encoding: Annotated[str, limits.SCHEMA_ENCODING] = limits.SCHEMA_ENCODING.default
    """How publishers encode messages."""


class ResultField(Settings):
    """A column of the result table."""

    name: FieldName
    """Name of the column."""
    type: Annotated[str, bigquery.TYPE]
    """BigQuery type of the column."""
    mode: Annotated[str, bigquery.MODE] = bigquery.MODE.default
    """Whether it may be empty, must be set, or is a list."""


def columns(given: Sequence[bigquery.Column]) -> tuple[ResultField, ...]:
    """Return columns of the catalog as a table has them."""
    return tuple(ResultField.model_validate(each) for each in given)


class Results(Settings):
    """The BigQuery table that holds what the service made of each message."""

    fields: Annotated[tuple[ResultField, ...], bigquery.COLUMNS] = columns(bigquery.RESULTS)
    """Columns. Default: message id, time, model, input, output, latency."""
    partition_field: FieldName = "processed_at"
    """Column of type TIMESTAMP, DATE or DATETIME the table is partitioned by, a partition a
    day."""
    partition_expiration_days: Annotated[int, bigquery.EXPIRATION_DAYS] | None = None
    """Days after which a partition is deleted."""
    cluster_by: Annotated[tuple[FieldName, ...], bigquery.CLUSTER_BY] = Field(
        default_factory=lambda data: bigquery.clusters(
            [field.model_dump() for field in data.get("fields", ())]
        )
    )
    """Up to four columns rows are sorted by. Default: model, when there is one."""
    quality: Annotated[Quality | None, Field(exclude=True)] = None
    """What must hold of its rows. Default: what their types say."""
    readers: Principals = ()
    """Who may read the table. Whoever queries it also needs roles/bigquery.jobUser on the project
    that pays."""


class Archive(Settings):
    """Every message as it came, in a Cloud Storage bucket."""

    storage_class: Annotated[str, storage.STORAGE_CLASSES] = storage.STORAGE_CLASSES.default
    """Storage class of the bucket."""
    retention_days: Annotated[int, limits.ARCHIVE_DAYS] = limits.ARCHIVE_DAYS.default
    """Days after which an archived message is deleted."""
    format: Annotated[str, limits.ARCHIVE_FORMAT] = limits.ARCHIVE_FORMAT.default
    """avro: messages with id, time and attributes, and the fields of an Avro message_schema.
    text: their data alone, a line each."""
    max_seconds: Annotated[int, limits.ARCHIVE_SECONDS] = limits.ARCHIVE_SECONDS.default
    """Seconds after which a file ends."""
    max_bytes: Annotated[int, limits.ARCHIVE_BYTES] | None = None
    """Bytes after which a file ends. Default: time alone ends it."""
    prefix: Annotated[str, limits.ARCHIVE_PREFIX] | None = None
    """What names of files begin with, such as a folder: sentiment/. Default: the day."""
    readers: Principals = ()
    """Who may read the bucket."""


class BigQueryExport(Settings):
    """Every message in a BigQuery table, written by Pub/Sub itself."""

    use_topic_schema: bool = False
    """Whether each field of the message_schema is a column. Default: the message as it came,
    bytes, in one column."""
    fields: Annotated[tuple[ResultField, ...], bigquery.COLUMNS] | None = None
    """Columns of the table, where messages are JSON objects with these keys. Default: as
    use_topic_schema says."""
    drop_unknown_fields: bool = False
    """Whether keys without a column are left out. Default: such a message is a dead letter."""
    partition_expiration_days: Annotated[int, bigquery.EXPIRATION_DAYS] | None = None
    """Days after which a day's rows are deleted."""
    filter: Annotated[str, limits.FILTER] | None = None
    """Which messages are kept, like attributes.lang = "en"."""
    readers: Principals = ()
    """Who may read the table."""


class Dataflow(Settings):
    """A streaming Dataflow job that works on every message, from a flex template."""

    fields: Annotated[tuple[ResultField, ...], bigquery.COLUMNS]
    """Columns of the table the job writes."""
    template: Annotated[str, limits.TEMPLATE] = limits.TEMPLATE.default
    """Path of the template. Default: Google's, JSON messages to rows."""
    parameters: Mapping[str, str] = Field(default_factory=dict)
    """Parameters of the template, besides those of subscription and tables."""
    machine_type: Annotated[str, limits.WORKER_MACHINE_TYPE] = limits.WORKER_MACHINE_TYPE.default
    """Machine type of the workers."""
    max_workers: Annotated[int, limits.MAX_WORKERS] = limits.MAX_WORKERS.default
    """Workers at most."""


class ExistingParts(Settings):
    """What of a pipeline is there already. What isn't named is made."""

    topic: Annotated[str, limits.TOPIC_PATH] | None = None
    """Full name of the topic, of this project or another. Who publishes, and its schema, are its
    owner's."""
    archive_bucket: Annotated[str, storage.BUCKET] | None = None
    """Name of the bucket that the archive goes to, in the pipeline's region."""
    results_dataset: Annotated[str, bigquery.DATASET] | None = None
    """Name of the dataset, of this project and in the pipeline's region, in which the table of the
    results is made: <pipeline>_results, with underscores for hyphens."""


class Pipeline(Container):
    """A topic, a Cloud Run service it pushes to, and a BigQuery table for the results."""

    timeout_seconds: Annotated[int, limits.MESSAGE_TIMEOUT_SECONDS] = (
        limits.MESSAGE_TIMEOUT_SECONDS.default
    )
    """Seconds the service may take for a message."""
    ack_deadline_seconds: Annotated[int, limits.ACK_DEADLINE_SECONDS] = (
        limits.ACK_DEADLINE_SECONDS.default
    )
    """Seconds until Pub/Sub delivers an unanswered message again; no less than the timeout."""
    max_delivery_attempts: Annotated[int, limits.MAX_DELIVERY_ATTEMPTS] = (
        limits.MAX_DELIVERY_ATTEMPTS.default
    )
    """Deliveries after which a message goes to the dead-letter topic."""
    retry: Retry = Retry()
    """Wait between deliveries."""
    publishers: Principals = ()
    """Who may publish to the topic. Default: who may on the whole project alone."""
    retention_days: Annotated[int, limits.RETENTION_DAYS] = limits.RETENTION_DAYS.default
    """Days Pub/Sub keeps messages that were not acknowledged."""
    filter: Annotated[str, limits.FILTER] | None = None
    """Which messages the service gets, like attributes.lang = "en". Default: all."""
    unwrapped: bool = False
    """Whether the service gets the data of a message as the body, with its id and time as headers.
    Default: in an envelope."""
    ordering: bool = False
    """Whether messages with the same ordering key come one after the other."""
    message_schema: MessageSchema | None = None
    """Schema of messages. Default: any message is accepted."""
    models: tuple[str, ...] = ()
    """Models (keys of models, or adapters) its service asks at the gateway. Sets LLM_BASE_URL,
    LLM_MODEL (the first), LLM_MODELS, LLM_CA_FILE."""
    results: Results = Results()
    """Table of the results."""
    archive: Archive | None = None
    """Archive of the messages. Default: none is kept."""
    bigquery_export: BigQueryExport | None = None
    """Table of the messages. Default: none is kept."""
    exactly_once_pull: bool = False
    """Whether another consumer may fetch the messages, each acknowledged once."""
    dataflow: Dataflow | None = None
    """Streaming job. Default: none."""
    topic_of: Annotated[PipelineName | None, Field(exclude=True)] = None
    """Pipeline whose topic it takes too, beside that one's service. Default: it has its own."""
    existing: ExistingParts = ExistingParts()
    """What is there already."""

    def results_path(self, name: str) -> str:
        """Return where the results of the pipeline of that name are, as <dataset>.<table>."""
        own = f"{name.replace('-', '_')}_results"
        there = self.existing.results_dataset
        return f"{own}.results" if there is None else f"{there}.{own}"

    @property
    def granted(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """Who is let in, by the path of the key that names them."""
        kept = {
            "results": self.results,
            "archive": self.archive,
            "bigquery_export": self.bigquery_export,
        }
        return {
            ("publishers",): self.publishers,
            **{(key, "readers"): each.readers for key, each in kept.items() if each is not None},
        }
