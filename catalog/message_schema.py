"""Schemas of topics: whether Pub/Sub takes a definition, and the BigQuery columns of its fields.

https://cloud.google.com/pubsub/docs/schemas
https://cloud.google.com/pubsub/docs/bigquery#schema_compatibility
"""

from __future__ import annotations

from catalog import avro, protobuf
from catalog.avro import AvroError
from catalog.protobuf import ProtobufError

DefinitionError = (AvroError, ProtobufError)
"""What a definition that can't be used raises; says why."""

Column = tuple[str, str, str]
"""Name, type and mode."""


def check_definition(type_: str, definition: str) -> None:
    """Raise one of `DefinitionError` unless the topic would take it; type_ is avro or protobuf."""
    if type_ == "avro":
        avro.check_record(definition)
    else:
        protobuf.compiled(definition)


def columns_of(type_: str, definition: str) -> list[Column]:
    """Return a column for each field, in their order. Raises one of `DefinitionError`."""
    return avro.columns_of(definition) if type_ == "avro" else protobuf.columns_of(definition)
