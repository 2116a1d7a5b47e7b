"""Pipelines: messages in, a Cloud Run service that works on each, rows out."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.containers import Container
from config.fields import Matching, Settings

PipelineName = Annotated[
    str,
    Matching(
        "(?!goog)[a-z][a-z0-9-]{1,18}[a-z0-9]",
        "3 to 20 lowercase letters, digits or hyphens, a letter first, no hyphen last, not goog"
        " first",
        "change it (it becomes part of topic names and service account ids)",
    ),
]
FieldName = Annotated[
    str,
    Matching(
        "[A-Za-z_][A-Za-z0-9_]{0,299}",
        "a BigQuery column: letters, digits or underscores, no digit first",
    ),
]
FieldType = Literal[
    "STRING",
    "BYTES",
    "INTEGER",
    "FLOAT",
    "NUMERIC",
    "BIGNUMERIC",
    "BOOLEAN",
    "TIMESTAMP",
    "DATE",
    "TIME",
    "DATETIME",
    "GEOGRAPHY",
    "JSON",
]


class Retry(Settings):
    """How long Pub/Sub waits before it delivers a failed message again."""

    minimum_seconds: int = Field(
        default=10, ge=0, le=600, description="Seconds before the first further delivery."
    )
    maximum_seconds: int = Field(
        default=600, ge=0, le=600, description="Seconds the growing wait ends at."
    )


class MessageSchema(Settings):
    """The shape every published message must have; Pub/Sub refuses others."""

    type: Literal["avro", "protobuf"] = Field(description="Language of the definition.")
    definition: str = Field(
        min_length=1, max_length=300_000, description="The schema itself, as text."
    )
    encoding: Literal["json", "binary"] = Field(
        default="json", description="How publishers encode messages."
    )


class ResultField(Settings):
    """A column of the result table."""

    name: FieldName = Field(description="Name of the column.")
    type: FieldType = Field(description="BigQuery type of the column.")
    mode: Literal["NULLABLE", "REQUIRED", "REPEATED"] = Field(
        default="NULLABLE", description="Whether it may be empty, must be set, or is a list."
    )


_DEFAULT_FIELDS = (
    ResultField(name="message_id", type="STRING", mode="REQUIRED"),
    ResultField(name="processed_at", type="TIMESTAMP", mode="REQUIRED"),
    ResultField(name="model", type="STRING"),
    ResultField(name="input", type="STRING"),
    ResultField(name="output", type="JSON"),
    ResultField(name="latency_ms", type="INTEGER"),
)


class Results(Settings):
    """The BigQuery table that holds what the service made of each message."""

    fields: tuple[ResultField, ...] = Field(
        default=_DEFAULT_FIELDS,
        min_length=1,
        description="Columns. Default: message id, time, model, input, output, latency.",
    )
    partition_field: FieldName = Field(
        default="processed_at",
        description="Column of type TIMESTAMP, DATE or DATETIME the table is partitioned by, a"
        " partition a day.",
    )
    partition_expiration_days: int | None = Field(
        default=None, ge=1, le=36500, description="Days after which a partition is deleted."
    )
    cluster_by: tuple[FieldName, ...] = Field(
        default_factory=lambda data: tuple(
            field.name for field in data.get("fields", ()) if field.name == "model"
        ),
        max_length=4,
        description="Up to four columns rows are sorted by. Default: model, when there is one.",
    )


class Archive(Settings):
    """Every message as it came, in a Cloud Storage bucket."""

    storage_class: Literal["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"] = Field(
        default="STANDARD", description="Storage class of the bucket."
    )
    retention_days: int = Field(
        default=90, ge=1, le=36500, description="Days after which an archived message is deleted."
    )
    format: Literal["avro", "text"] = Field(
        default="avro",
        description="avro: messages with id, time and attributes, and the fields of an Avro"
        " message_schema. text: their data alone, a line each.",
    )
    max_seconds: int = Field(
        default=300, ge=60, le=600, description="Seconds after which a file ends."
    )
    max_bytes: int | None = Field(
        default=None,
        ge=1000,
        le=10 * 2**30,
        description="Bytes after which a file ends. Default: time alone ends it.",
    )


class BigQueryExport(Settings):
    """Every message in a BigQuery table, written by Pub/Sub itself."""

    use_topic_schema: bool = Field(
        default=False,
        description="Whether each field of the message_schema is a column. Default: the"
        " message as it came, bytes, in one column.",
    )
    partition_expiration_days: int | None = Field(
        default=None, ge=1, le=36500, description="Days after which a day's rows are deleted."
    )
    filter: str | None = Field(
        default=None, description='Which messages are kept, like attributes.lang = "en".'
    )


class Dataflow(Settings):
    """A streaming Dataflow job that works on every message, from a flex template."""

    fields: tuple[ResultField, ...] = Field(
        min_length=1, description="Columns of the table the job writes."
    )
    template: Annotated[
        str, Matching(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]/\S+", "a path gs://bucket/object")
    ] = Field(
        default="gs://dataflow-templates-{region}/latest/flex/PubSub_to_BigQuery_Flex",
        description="Path of the template. Default: Google's, JSON messages to rows.",
    )
    parameters: Mapping[str, str] = Field(
        default_factory=dict,
        description="Parameters of the template, besides those of subscription and tables.",
    )
    machine_type: Annotated[
        str,
        Matching(
            r"[a-z][0-9][a-z]?-(standard|highmem|highcpu)-[0-9]+",
            "a machine type of Compute Engine such as n2-standard-2",
            "`gcloud compute machine-types list` shows those of a zone",
        ),
    ] = Field(default="n2-standard-2", description="Machine type of the workers.")
    max_workers: int = Field(default=3, ge=1, le=100, description="Workers at most.")


class Pipeline(Container):
    """A topic, a Cloud Run service it pushes to, and a BigQuery table for the results."""

    timeout_seconds: int = Field(
        default=60, ge=1, le=600, description="Seconds the service may take for a message."
    )
    ack_deadline_seconds: int = Field(
        default=60,
        ge=10,
        le=600,
        description="Seconds until Pub/Sub delivers an unanswered message again; no less than the"
        " timeout.",
    )
    max_delivery_attempts: int = Field(
        default=5,
        ge=5,
        le=100,
        description="Deliveries after which a message goes to the dead-letter topic.",
    )
    retry: Retry = Field(default=Retry(), description="Wait between deliveries.")
    retention_days: int = Field(
        default=7,
        ge=1,
        le=31,
        description="Days Pub/Sub keeps messages that were not acknowledged.",
    )
    filter: str | None = Field(
        default=None,
        description='Which messages the service gets, like attributes.lang = "en". Default: all.',
    )
    ordering: bool = Field(
        default=False,
        description="Whether messages with the same ordering key come one after the other.",
    )
    message_schema: MessageSchema | None = Field(
        default=None, description="Schema of messages. Default: any message is accepted."
    )
    results: Results = Field(default=Results(), description="Table of the results.")
    archive: Archive | None = Field(
        default=None, description="Archive of the messages. Default: none is kept."
    )
    bigquery_export: BigQueryExport | None = Field(
        default=None, description="Table of the messages. Default: none is kept."
    )
    exactly_once_pull: bool = Field(
        default=False,
        description="Whether another consumer may fetch the messages, each acknowledged once.",
    )
    dataflow: Dataflow | None = Field(default=None, description="Streaming job. Default: none.")
