"""Pipelines: times, sizes and columns that fit together."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from config.checks.columns import check_columns
from config.checks.references import check_name
from config.errors import KeyPath, Problem, shown
from config.known import Known
from config.pipelines import MessageSchema, Pipeline

# Memory in MiB an instance may have, by vCPUs.
# https://cloud.google.com/run/docs/configuring/services/memory-limits
MEMORY_MIB: Final[Mapping[str, tuple[int, int]]] = {
    "1": (512, 4096),
    "2": (512, 8192),
    "4": (2048, 16384),
    "6": (4096, 24576),
    "8": (4096, 32768),
}
# Days an object is paid for even when it is deleted earlier.
# https://cloud.google.com/storage/docs/storage-classes
MINIMUM_DAYS: Final[Mapping[str, int]] = {
    "STANDARD": 0,
    "NEARLINE": 30,
    "COLDLINE": 90,
    "ARCHIVE": 365,
}


def check_pipelines(known: Known) -> Iterator[Problem]:
    """Every pipeline."""
    for name, pipeline in known.pipelines.items():
        path = ("pipelines", name)
        yield from check_name(known, "regions", (*path, "region"), pipeline.region)
        yield from _check_sizes(path, pipeline)
        yield from check_columns((*path, "results"), pipeline.results)
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


def _check_sizes(path: KeyPath, pipeline: Pipeline) -> Iterator[Problem]:
    least, most = MEMORY_MIB[pipeline.cpu]
    if not least <= pipeline.memory_mib <= most:
        yield Problem(
            (*path, "memory_mib"),
            shown(pipeline.memory_mib),
            f"{least} to {most} with cpu {pipeline.cpu}",
            "change it or the cpu",
        )
    if pipeline.min_instances > pipeline.max_instances:
        yield Problem(
            (*path, "min_instances"),
            shown(pipeline.min_instances),
            f"at most max_instances, {pipeline.max_instances}",
            "lower it or raise max_instances",
        )
    if pipeline.ack_deadline_seconds < pipeline.timeout_seconds:
        yield Problem(
            (*path, "ack_deadline_seconds"),
            shown(pipeline.ack_deadline_seconds),
            f"timeout_seconds, {pipeline.timeout_seconds}, or more (else messages are worked on"
            " twice)",
            "raise it or lower timeout_seconds",
        )
    if pipeline.retry.minimum_seconds > pipeline.retry.maximum_seconds:
        yield Problem(
            (*path, "retry", "minimum_seconds"),
            shown(pipeline.retry.minimum_seconds),
            f"at most maximum_seconds, {pipeline.retry.maximum_seconds}",
            "lower it or raise maximum_seconds",
        )


def _check_schema(path: KeyPath, schema: MessageSchema) -> Iterator[Problem]:
    if schema.type == "avro":
        try:
            definition: object = json.loads(schema.definition)
        except ValueError as error:
            found = f"text that is not JSON ({error})"
        else:
            if isinstance(definition, dict) and definition.get("type") == "record":
                return
            found = "JSON that is not an Avro record"
        yield Problem(path, found, 'an Avro record: {"type": "record", ...}', "mend the definition")
    elif "message" not in schema.definition:
        yield Problem(
            path, "text without a message", "a Protocol Buffers message", "mend the definition"
        )
