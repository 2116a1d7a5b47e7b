"""BigQuery columns for the fields of Avro records, as Pub/Sub writes them.

https://cloud.google.com/pubsub/docs/bigquery#avro-types
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

COLUMN_TYPES: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "bytes": "BYTES",
    "double": "FLOAT",
    "float": "FLOAT",
    "int": "INTEGER",
    "long": "INTEGER",
    "string": "STRING",
}
"""By Avro's primitive type. Nested records, lists and maps have no column here."""


class AvroError(ValueError):
    """A definition that is no record, or a field without a column."""


def check_record(definition: str) -> None:
    """Raise `AvroError` unless it is a record that Avro can read."""
    # Only loaded where there is such a schema.
    import fastavro

    parsed = _parsed(definition)
    if _mapping(parsed).get("type") != "record":
        raise AvroError("JSON that is not an Avro record")
    if not isinstance(_mapping(parsed).get("fields"), list):
        raise AvroError("a record without a list of fields")
    try:
        fastavro.parse_schema(cast("dict[str, object]", parsed))
    # Broken definitions make the library raise whatever the operation behind raises.
    except Exception as problem:
        raise AvroError(f"a record Avro can't read ({_said(problem)})") from None


def _said(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"{problem} is missing"
    return f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__


def _parsed(definition: str) -> object:
    try:
        return json.loads(definition)
    except ValueError as problem:
        raise AvroError(f"text that is not JSON ({problem})") from None
    except RecursionError:
        raise AvroError("JSON that is too deep") from None


def columns_of(definition: str) -> list[tuple[str, str, str]]:
    """Name, type and mode of a column for each field. Raises `AvroError`.

    A field of a plain type is REQUIRED; a union of null and a plain type is NULLABLE.
    """
    record = _mapping(_parsed(definition))
    fields = record.get("fields")
    if record.get("type") != "record" or not isinstance(fields, list) or not fields:
        raise AvroError("no Avro record with fields")
    return [_column(field) for field in cast("list[object]", fields)]


def _column(field: object) -> tuple[str, str, str]:
    given = _mapping(field)
    name, kind = given.get("name"), given.get("type")
    if not isinstance(name, str):
        raise AvroError("a field without a name")
    mode = "REQUIRED"
    if isinstance(kind, list):
        kinds = cast("list[object]", kind)
        others = [each for each in kinds if each != "null"]
        if len(others) == 1 and len(kinds) == 2:
            kind, mode = others[0], "NULLABLE"
    if not isinstance(kind, str) or kind not in COLUMN_TYPES:
        raise AvroError(f"field {name!r} of a type other than {', '.join(COLUMN_TYPES)}")
    return name, COLUMN_TYPES[kind], mode


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
