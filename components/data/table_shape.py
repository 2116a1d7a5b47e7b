"""The shape of a BigQuery table: columns, partitions and clusters."""

import json
from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict, cast

import pulumi_gcp as gcp

from catalog.limits import bigquery as limits

_DAY_MS = 24 * 3600 * 1000


class Field(TypedDict):
    """A column."""

    name: Annotated[str, limits.COLUMN]
    """Name of the column."""
    type: Annotated[str, limits.TYPE]
    """BigQuery type."""
    mode: NotRequired[Annotated[str, limits.MODE]]
    """Whether it may be empty, must be set, or is a list."""


class TableShape(TypedDict):
    """Columns of a table, and how BigQuery lays its rows out."""

    fields: NotRequired[Annotated[Sequence[Field], limits.COLUMNS]]
    """Columns."""
    partition_field: NotRequired[str]
    """Column whose day picks the partition; without, the day a row arrives."""
    partition_expiration_days: NotRequired[Annotated[int | None, limits.EXPIRATION_DAYS]]
    """Age at which a partition is deleted; without, never."""
    cluster_by: NotRequired[Annotated[Sequence[str], limits.CLUSTER_BY]]
    """Columns rows are sorted by, the one most filtered by first."""


def shape_of(given: TableShape, otherwise: Sequence[limits.Column], day: str) -> TableShape:
    """Return a table's shape: its own, or other columns partitioned by one of them."""
    if "fields" in given:
        return given
    own: TableShape = {
        "fields": cast("Sequence[Field]", otherwise),
        "partition_field": day,
        "cluster_by": limits.clusters(otherwise),
    }
    return {**own, **given}


def schema(shape: TableShape) -> str:
    """Return the columns as the API takes them."""
    fields = shape.get("fields", ())
    return json.dumps(
        [{**field, "mode": field.get("mode", limits.MODE.default)} for field in fields]
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
