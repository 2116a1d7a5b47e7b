"""Pipelines: messages in, a Cloud Run service that works on each, rows out."""

from typing import Annotated, Literal

from pydantic import Field

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
Image = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:/[a-z0-9][a-z0-9._-]*)+"
        r"(?:@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@sha256:[0-9a-f]{64})?)",
        "a container image with host, path and a tag or digest",
        "write it like us-docker.pkg.dev/acme/services/sentiment:1.4.0",
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


class Pipeline(Settings):
    """A topic, a Cloud Run service it pushes to, and a BigQuery table for the results."""

    region: str = Field(description="Region of the service and its data.")
    image: Image = Field(description="Container image of the service, with tag or digest.")
    cpu: Literal["1", "2", "4", "6", "8"] = Field(
        default="1", description="vCPUs of an instance, in quotes."
    )
    memory_mib: int = Field(
        default=512, ge=512, le=32768, description="Memory of an instance in MiB."
    )
    min_instances: int = Field(default=0, ge=0, le=1000, description="Instances that always run.")
    max_instances: int = Field(
        default=5, ge=1, le=1000, description="Instances Cloud Run may start at most."
    )
    concurrency: int = Field(
        default=40, ge=1, le=1000, description="Messages an instance works on at a time."
    )
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
    message_schema: MessageSchema | None = Field(
        default=None, description="Schema of messages. Default: any message is accepted."
    )
    results: Results = Field(default=Results(), description="Table of the results.")
    archive: Archive | None = Field(
        default=None, description="Archive of the messages. Default: none is kept."
    )
