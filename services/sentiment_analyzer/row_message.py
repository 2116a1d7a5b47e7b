"""A row of results as the protocol buffer the Storage Write API takes.

https://cloud.google.com/bigquery/docs/supported-data-types
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from services.sentiment_analyzer.sink import Row

INTEGERS = ("processed_at", "latency_ms")
"""A TIMESTAMP is microseconds."""
COLUMNS = ("message_id", "processed_at", "model", "input", "output", "latency_ms")
_REQUIRED = ("message_id", "processed_at")


@cache
def writer_schema() -> Any:
    """Return the descriptor of the message, which goes with the first rows of a connection."""
    proto: Any = descriptor_pb2.FieldDescriptorProto
    return descriptor_pb2.DescriptorProto(
        name="Result",
        field=[
            proto(
                name=column,
                number=number,
                type=proto.TYPE_INT64 if column in INTEGERS else proto.TYPE_STRING,
                label=proto.LABEL_REQUIRED if column in _REQUIRED else proto.LABEL_OPTIONAL,
            )
            for number, column in enumerate(COLUMNS, start=1)
        ],
    )


def message_class(descriptor: Any) -> Any:
    """Return the class of messages with the descriptor's fields."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(
        descriptor_pb2.FileDescriptorProto(
            name="result.proto", syntax="proto2", package="results", message_type=[descriptor]
        )
    )
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"results.{descriptor.name}"))


@cache
def _row_class() -> Any:
    return message_class(writer_schema())


def serialize(row: Row) -> bytes:
    """Return the row as bytes."""
    return _row_class()(**row).SerializeToString()
