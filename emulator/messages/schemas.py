"""Schemas of topics: Avro and Protobuf, in JSON or binary.

https://cloud.google.com/pubsub/docs/schemas
"""

import io
import json
from functools import cache
from typing import Any, cast

import fastavro
from fastavro.validation import validate
from google.protobuf import descriptor_pool, json_format, message_factory

from catalog.protobuf import compiled
from emulator.messages.resources import MessageSchema


class SchemaError(ValueError):
    """Data that doesn't fit the topic's schema, or a schema that can't be read."""


def decode(schema: MessageSchema, data: bytes) -> dict[str, Any]:
    """Read a message's data as a record. Raises SchemaError when it doesn't fit."""
    read = _avro if schema.type == "AVRO" else _protobuf
    try:
        return read(schema, data)
    except SchemaError:
        raise
    # Broken data makes the libraries raise whatever the operation behind raises.
    except Exception as problem:
        raise SchemaError(f"{type(problem).__name__}: {problem}") from problem


def encode(schema: MessageSchema, record: dict[str, Any]) -> bytes:
    """Write a record as a publisher to the topic would."""
    if schema.type == "AVRO":
        if schema.encoding == "JSON":
            return json.dumps(record).encode()
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, avro_schema(schema.definition), record)
        return stream.getvalue()
    message = json_format.ParseDict(record, _message_class(schema.definition)())
    if schema.encoding == "JSON":
        return json_format.MessageToJson(message, indent=None).encode()
    return cast("bytes", message.SerializeToString())


def field_names(schema: MessageSchema) -> frozenset[str]:
    """Return the fields that a record of the schema may have."""
    if schema.type == "AVRO":
        return frozenset(each["name"] for each in avro_schema(schema.definition)["fields"])
    return frozenset(_message_class(schema.definition).DESCRIPTOR.fields_by_name)


@cache
def avro_schema(definition: str) -> Any:
    """Return the parsed form of an Avro schema."""
    return fastavro.parse_schema(json.loads(definition))


def _avro(schema: MessageSchema, data: bytes) -> dict[str, Any]:
    parsed = avro_schema(schema.definition)
    if schema.encoding == "BINARY":
        stream = io.BytesIO(data)
        record: Any = fastavro.schemaless_reader(stream, parsed, None)
        if stream.tell() != len(data):
            raise SchemaError("bytes are left after the record")
        return record
    text = data.decode()
    given = json.loads(text)
    extra = set(given) - field_names(schema)
    if extra:
        raise SchemaError(f"found {', '.join(sorted(extra))}: not in the schema")
    # The reader takes one record a line.
    record = next(iter(cast("Any", fastavro).json_reader(io.StringIO(json.dumps(given)), parsed)))
    validate(record, parsed)
    return record


def _protobuf(schema: MessageSchema, data: bytes) -> dict[str, Any]:
    message = _message_class(schema.definition)()
    if schema.encoding == "BINARY":
        message.ParseFromString(data)
    else:
        json_format.Parse(data.decode(), message)
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, use_integers_for_enums=True
    )


@cache
def _message_class(definition: str) -> Any:
    """Return the class of a definition's first message, which is the one Pub/Sub takes."""
    file = compiled(definition)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    name = ".".join(part for part in (file.package, file.message_type[0].name) if part)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
