"""Pipelines: times, sizes and columns that fit together."""

from collections.abc import Iterator, Mapping
from typing import Final

from catalog.message_schema import DefinitionError, check_definition, columns_of
from config.checks.columns import check_column_names, check_columns
from config.checks.containers import check_container, check_filter_text
from config.checks.order import check_order
from config.checks.references import check_name
from config.checks.service_input import check_input
from config.checks.service_output import check_output
from config.errors import KeyPath, Problem, listed, shown
from config.known import Known
from config.pipelines import MessageSchema, Pipeline

# Days an object is paid for even when it is deleted earlier.
# https://cloud.google.com/storage/docs/storage-classes
MINIMUM_DAYS: Final[Mapping[str, int]] = {
    "STANDARD": 0,
    "NEARLINE": 30,
    "COLDLINE": 90,
    "ARCHIVE": 365,
}

# What the pipeline itself gives to the container, and to the streaming job's template.
OWN_VARIABLES: Final = ("GOOGLE_CLOUD_PROJECT", "PUBSUB_TOPIC", "RESULTS_TABLE")
OWN_PARAMETERS: Final = ("inputSubscription", "outputTableSpec", "outputDeadletterTable")
# https://cloud.google.com/pubsub/docs/bigquery#write-metadata
METADATA_COLUMNS: Final = frozenset(
    {"subscription_name", "message_id", "publish_time", "attributes"}
)


def check_pipelines(known: Known) -> Iterator[Problem]:
    """Check every pipeline."""
    for name, pipeline in known.pipelines.items():
        path = ("pipelines", name)
        yield from check_name(known, "regions", (*path, "region"), pipeline.region)
        yield from check_container(path, pipeline)
        yield from _check_delivery(path, pipeline)
        yield from check_columns((*path, "results"), pipeline.results)
        yield from check_input(path, pipeline)
        yield from check_output(path, pipeline)
        yield from _check_copies(path, pipeline)
        if pipeline.message_schema:
            yield from _check_schema(
                (*path, "message_schema", "definition"), pipeline.message_schema
            )
        archive = pipeline.archive
        if archive and archive.retention_days < MINIMUM_DAYS[archive.storage_class]:
            least = MINIMUM_DAYS[archive.storage_class]
            yield Problem(
                (*path, "archive", "retention_days"),
                shown(archive.retention_days),
                f"{least} or more: {archive.storage_class} bills each object that long",
                f"raise it to {least} or choose a warmer storage class",
            )


def _check_delivery(path: KeyPath, pipeline: Pipeline) -> Iterator[Problem]:
    if pipeline.ack_deadline_seconds < pipeline.timeout_seconds:
        yield Problem(
            (*path, "ack_deadline_seconds"),
            shown(pipeline.ack_deadline_seconds),
            f"timeout_seconds, {pipeline.timeout_seconds}, or more (else messages are worked on"
            " twice)",
            "raise it or lower timeout_seconds",
        )
    retry = pipeline.retry
    yield from check_order(
        (*path, "retry"),
        minimum_seconds=retry.minimum_seconds,
        maximum_seconds=retry.maximum_seconds,
    )
    yield from check_filter_text((*path, "filter"), pipeline.filter)
    for variable in OWN_VARIABLES:
        if variable in pipeline.environment:
            yield Problem(
                (*path, "environment", variable),
                f"the name {shown(variable)}",
                f"names other than {listed(OWN_VARIABLES)}",
                "remove it: the pipeline sets it",
            )


def _check_copies(path: KeyPath, pipeline: Pipeline) -> Iterator[Problem]:
    export, schema = pipeline.bigquery_export, pipeline.message_schema
    if export is not None:
        yield from check_filter_text((*path, "bigquery_export", "filter"), export.filter)
        if export.use_topic_schema:
            where = (*path, "bigquery_export", "use_topic_schema")
            yield from _check_topic_schema(where, schema)
    if pipeline.dataflow is None:
        return
    if pipeline.ordering:
        yield Problem(
            (*path, "ordering"),
            "true",
            "false with dataflow, which reads in an order of its own",
            "remove one of them",
        )
    for parameter in OWN_PARAMETERS:
        if parameter in pipeline.dataflow.parameters:
            yield Problem(
                (*path, "dataflow", "parameters", parameter),
                f"the name {shown(parameter)}",
                f"names other than {listed(OWN_PARAMETERS)}",
                "remove it: the pipeline sets it",
            )
    yield from check_column_names((*path, "dataflow"), pipeline.dataflow.fields)


def _check_topic_schema(path: KeyPath, schema: MessageSchema | None) -> Iterator[Problem]:
    if schema is None:
        yield Problem(
            path,
            "true without a message_schema",
            "true with a message_schema of plain fields",
            "add the schema or remove it",
        )
        return
    try:
        names = {name.lower() for name, _, _ in columns_of(schema.type, schema.definition)}
    except DefinitionError as problem:
        yield Problem(
            path,
            f"true with {problem}",
            "true with a message_schema of plain fields",
            "fix the schema or remove it",
        )
        return
    if taken := sorted(names & METADATA_COLUMNS):
        yield Problem(
            path,
            f"true with the fields {listed(taken)}",
            f"fields other than {listed(METADATA_COLUMNS)}",
            "rename them: Pub/Sub adds columns of these names",
        )


def _check_schema(path: KeyPath, schema: MessageSchema) -> Iterator[Problem]:
    try:
        check_definition(schema.type, schema.definition)
    except DefinitionError as problem:
        yield Problem(path, str(problem), _DEFINITIONS[schema.type], "fix the definition")


_DEFINITIONS: Final[Mapping[str, str]] = {
    "avro": 'an Avro record: {"type": "record", "name": ..., "fields": [...]}',
    "protobuf": "a proto file with one message, nothing imported",
}
