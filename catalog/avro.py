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


def columns_of(definition: str) -> list[tuple[str, str, str]]:
    """Name, type and mode of a column for each field. Raises `AvroError`.

    A field of a plain type is REQUIRED; a union of null and a plain type is NULLABLE.
    """
    try:
        parsed: object = json.loads(definition)
    except ValueError as problem:
        raise AvroError(f"text that is not JSON ({problem})") from None
    record = _mapping(parsed)
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
