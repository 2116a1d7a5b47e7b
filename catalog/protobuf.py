"""Protobuf schemas of topics: compiled, and as BigQuery columns.

https://cloud.google.com/pubsub/docs/schemas
https://cloud.google.com/pubsub/docs/bigquery#protocol-buffer-types
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from catalog.words import plural

_FILE = "schema.proto"
_COMPILER_SECONDS = 60

COLUMN_TYPES: Mapping[str, str] = {
    "bool": "BOOLEAN",
    "bytes": "BYTES",
    "double": "FLOAT",
    "enum": "INTEGER",
    "fixed32": "INTEGER",
    "fixed64": "NUMERIC",
    "float": "FLOAT",
    "int32": "INTEGER",
    "int64": "INTEGER",
    "sfixed32": "INTEGER",
    "sfixed64": "INTEGER",
    "sint32": "INTEGER",
    "sint64": "INTEGER",
    "string": "STRING",
    "uint32": "INTEGER",
    "uint64": "NUMERIC",
}
"""By Protobuf's scalar type. Messages within messages have no column here."""

# By a field's label.
_MODES: Mapping[int, str] = {1: "NULLABLE", 2: "REQUIRED", 3: "REPEATED"}


class ProtobufError(ValueError):
    """A definition the compiler or Pub/Sub refuses, or a field without a column."""


@cache
def compiled(definition: str) -> Any:
    """Return the file's descriptor, a `FileDescriptorProto` with one message. Raises
    `ProtobufError`."""
    # Protobuf is only loaded where there is such a schema.
    from google.protobuf import descriptor_pb2

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, _FILE).write_text(definition)
        # A process of its own: the compiler writes what is wrong where only a process sees it.
        run = subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"-o{folder}/out", _FILE],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_COMPILER_SECONDS,
            check=False,
        )
        if run.returncode:
            raise ProtobufError(f"text the compiler refuses ({_complaint(run.stderr)})")
        out = Path(folder, "out").read_bytes()
    (file,) = descriptor_pb2.FileDescriptorSet.FromString(out).file
    if file.dependency:
        raise ProtobufError(f"an import of {', '.join(file.dependency)}")
    if len(file.message_type) != 1:
        raise ProtobufError(
            f"{plural(len(file.message_type), 'message')} beside each other, not one"
        )
    if file.enum_type:
        raise ProtobufError(f"enum {file.enum_type[0].name} beside the message, not in it")
    return file


def columns_of(definition: str) -> list[tuple[str, str, str]]:
    """Name, type and mode of a column for each field. Raises `ProtobufError`.

    A field is NULLABLE, unless it is marked as required or repeated.
    """
    return [_column(field) for field in compiled(definition).message_type[0].field]


def scalar_of(field: Any) -> str:
    """Return a field's type as one writes it; `message` for one of its own."""
    from google.protobuf import descriptor_pb2

    name = descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)
    return name.removeprefix("TYPE_").lower()


def _column(field: Any) -> tuple[str, str, str]:
    kind = scalar_of(field)
    if kind not in COLUMN_TYPES:
        raise ProtobufError(f"field {field.name!r} of a type other than {', '.join(COLUMN_TYPES)}")
    return field.name, COLUMN_TYPES[kind], _MODES[field.label]


def _complaint(said: str) -> str:
    """Return the compiler's first line about the file."""
    lines = [line.strip() for line in said.splitlines() if line.startswith(f"{_FILE}:")]
    return lines[0].removeprefix(f"{_FILE}:") if lines else "without a word"
