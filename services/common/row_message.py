"""Rows of a table as the protocol buffer the Storage Write API takes.

https://cloud.google.com/bigquery/docs/supported-data-types
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from services.common.sink import Row, RowShape


@cache
def writer_schema(shape: RowShape) -> Any:
    """Return the descriptor of the message, which goes with the first rows of a connection."""
    proto: Any = descriptor_pb2.FieldDescriptorProto
    return descriptor_pb2.DescriptorProto(
        name="Row",
        field=[
            proto(
                name=column,
                number=number,
                type=proto.TYPE_INT64 if column in shape.integers else proto.TYPE_STRING,
                label=proto.LABEL_REQUIRED if column in shape.required else proto.LABEL_OPTIONAL,
            )
            for number, column in enumerate(shape.columns, start=1)
        ],
    )


def message_class(descriptor: Any) -> Any:
    """Return the class of messages with the descriptor's fields."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(
        descriptor_pb2.FileDescriptorProto(
            name="row.proto", syntax="proto2", package="rows", message_type=[descriptor]
        )
    )
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"rows.{descriptor.name}"))


@cache
def _row_class(shape: RowShape) -> Any:
    return message_class(writer_schema(shape))


def serialize(shape: RowShape, row: Row) -> bytes:
    """Return the row as bytes."""
    return _row_class(shape)(**row).SerializeToString()
