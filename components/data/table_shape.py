"""The shape of a BigQuery table: columns, partitions and clusters."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi_gcp as gcp

from components.checks import check_between
from components.validation import Problems

MODES = ("NULLABLE", "REQUIRED", "REPEATED")
PARTITION_TYPES = ("DATE", "DATETIME", "TIMESTAMP")
CLUSTER_TYPES = (
    *PARTITION_TYPES,
    *("BIGNUMERIC", "BOOL", "BOOLEAN", "GEOGRAPHY", "INT64", "INTEGER", "NUMERIC", "STRING"),
)
TYPES = (*CLUSTER_TYPES, "BYTES", "FLOAT", "FLOAT64", "JSON", "TIME")
"""Column types; nested data goes into JSON. https://cloud.google.com/bigquery/docs/schemas"""

_MOST_CLUSTER_COLUMNS = 4
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_DAY_MS = 24 * 3600 * 1000


class Field(TypedDict):
    """A column."""

    name: str
    type: str
    """BigQuery type, such as STRING, INT64, FLOAT64, BOOL, TIMESTAMP or JSON."""
    mode: NotRequired[str]
    """NULLABLE (default), REQUIRED or REPEATED."""


class TableShape(TypedDict):
    """Columns of a table, and how BigQuery lays its rows out."""

    fields: NotRequired[Sequence[Field]]
    """Columns."""
    partition_field: NotRequired[str]
    """Column whose day picks the partition; without, the day a row arrives."""
    partition_expiration_days: NotRequired[int | None]
    """Age at which a partition is deleted; without, never."""
    cluster_by: NotRequired[Sequence[str]]
    """Columns rows are sorted by, up to four, the one most filtered by first."""


def check_shape(problems: Problems, path: str, shape: TableShape) -> None:
    """Note a table BigQuery refuses."""
    fields = shape.get("fields", ())
    problems.check_not_empty(f"{path}.fields", fields, "a column")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        where = f"{path}.fields[{index}]"
        if not _COLUMN.fullmatch(field["name"]):
            problems.add(
                f"{where}.name",
                f"found {field['name']!r}; allowed: up to 300 letters, digits or underscores, a "
                "letter or underscore first",
            )
        if field["name"].lower() in seen:
            problems.add(
                f"{where}.name",
                f"found {field['name']!r} again; allowed: each name once; case does not tell "
                "columns apart",
            )
        seen.add(field["name"].lower())
        problems.check_one_of(f"{where}.type", field["type"].upper(), TYPES)
        problems.check_one_of(f"{where}.mode", field.get("mode", "NULLABLE").upper(), MODES)
    columns = {
        field["name"]: field["type"].upper()
        for field in fields
        if field.get("mode", "NULLABLE").upper() != "REPEATED"
    }
    partition_field = shape.get("partition_field")
    if partition_field is not None:
        _check_column(
            problems, f"{path}.partition_field", partition_field, columns, PARTITION_TYPES
        )
    cluster_by = shape.get("cluster_by", ())
    if len(cluster_by) > _MOST_CLUSTER_COLUMNS:
        problems.add(
            f"{path}.cluster_by",
            f"found {len(cluster_by)} columns; allowed: up to {_MOST_CLUSTER_COLUMNS}",
        )
    for index, column in enumerate(cluster_by):
        _check_column(problems, f"{path}.cluster_by[{index}]", column, columns, CLUSTER_TYPES)
    days = shape.get("partition_expiration_days")
    if days is not None:
        check_between(problems, f"{path}.partition_expiration_days", days, 1, 36500, "days")


def _check_column(
    problems: Problems, path: str, column: str, columns: Mapping[str, str], types: Sequence[str]
) -> None:
    allowed = [name for name, type_ in columns.items() if type_ in types]
    if column not in allowed:
        problems.add(
            path,
            f"found {column!r}; allowed: {', '.join(allowed) or 'none of the fields given'}; a "
            f"field, not REPEATED, of type {', '.join(sorted(types))}",
        )


def schema(shape: TableShape) -> str:
    """Return the columns as the API takes them."""
    return json.dumps(
        [
            {
                "name": field["name"],
                "type": field["type"].upper(),
                "mode": field.get("mode", "NULLABLE").upper(),
            }
            for field in shape.get("fields", ())
        ]
    )


def partitioning(shape: TableShape) -> gcp.bigquery.TableTimePartitioningArgsDict:
    """Return the partitioning by day."""
    by_day: gcp.bigquery.TableTimePartitioningArgsDict = {"type": "DAY"}
    field = shape.get("partition_field")
    if field is not None:
        by_day["field"] = field
    days = shape.get("partition_expiration_days")
    if days is not None:
        by_day["expiration_ms"] = days * _DAY_MS
    return by_day
