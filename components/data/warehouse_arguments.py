"""Arguments of Warehouse, and what is allowed in them."""

from collections.abc import Mapping
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import bigquery as limits
from catalog.limits.storage import key_place
from components.data.table_shape import TableShape, shape_of
from components.validation import Problems


class Table(TableShape):
    """A table and who may use it. Without `fields` it's a log of predictions."""

    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read it, by any short name, such as `group:analysts@acme.com`."""
    writers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may add, change and read its rows, by any short name."""
    partition_filter: NotRequired[bool]
    """Whether queries must name the days they read, where no view reads it; default true."""


class View(TypedDict):
    """A query that its readers may see the result of, without a right on what it reads."""

    query: str
    """GoogleSQL, with tables and materialized views of the dataset as `{name}`."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read the view, by any short name."""


class MaterializedView(View):
    """A query whose result is kept and kept fresh: aggregates that need not scan the table."""

    refresh_minutes: NotRequired[Annotated[int, limits.REFRESH_MINUTES]]
    """Least time between refreshes."""


class WarehouseArgs(TypedDict):
    """Arguments of Warehouse."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the data."""
    tables: Annotated[Mapping[Annotated[str, limits.TABLE], Table], limits.TABLES]
    """Tables by name."""
    materialized_views: NotRequired[Mapping[Annotated[str, limits.TABLE], MaterializedView]]
    """Materialized views by name; they read tables."""
    views: NotRequired[Mapping[Annotated[str, limits.TABLE], View]]
    """Authorised views by name; they read tables and materialized views."""
    kms_key: NotRequired[pulumi.Input[str] | None]
    """Key the data is encrypted with, usable by BigQuery; without, Google's own."""
    deletion_protection: NotRequired[bool]
    """Whether dataset and tables are protected from deletion; default true."""


def table_shape(table: TableShape) -> TableShape:
    """Return the table's shape: its own, or that of a log of predictions."""
    return shape_of(table, limits.PREDICTION_LOG, "requested_at")


def dataset_id(name: str) -> str:
    """Return the dataset's name."""
    return name.replace("-", "_")


def validate_warehouse(name: str, args: WarehouseArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(WarehouseArgs, args)
    problems.check_limit(limits.DATASET, dataset_id(name), "name")
    for key, table in args["tables"].items():
        problems.extend(limits.shape(table_shape(table)), "tables", key)
    problems.extend(limits.queries(args))
    problems.extend(key_place(args.get("kms_key"), args["region"]))
    return problems
