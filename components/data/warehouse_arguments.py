"""Arguments of Warehouse, and what is allowed in them."""

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from components.checks import check_between
from components.data.key_access import check_key
from components.data.table_shape import TableShape, check_shape
from components.validation import Problems

PREDICTION_LOG: TableShape = {
    "fields": [
        {"name": "request_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "requested_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
        {"name": "model", "type": "STRING", "mode": "REQUIRED"},
        {"name": "consumer", "type": "STRING"},
        {"name": "prompt", "type": "STRING"},
        {"name": "response", "type": "STRING"},
        {"name": "prompt_tokens", "type": "INTEGER"},
        {"name": "completion_tokens", "type": "INTEGER"},
        {"name": "latency_ms", "type": "INTEGER"},
        {"name": "first_token_ms", "type": "INTEGER"},
        {"name": "finish_reason", "type": "STRING"},
        {"name": "metadata", "type": "JSON"},
    ],
    "partition_field": "requested_at",
    "cluster_by": ["model", "consumer"],
}
"""The shape of a table that has no `fields`: one row for each request to a model."""

SOURCE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How a query names a table or view of its own dataset: `{predictions}`."""

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,199}")
_ID_RULE = "1 to 200 letters, digits or underscores, a letter first"


class Table(TableShape):
    """A table and who may use it. Without `fields` it's a log of predictions."""

    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read it, by any short name, such as `group:analysts@acme.com`."""
    writers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may add, change and read its rows, by any short name."""


class View(TypedDict):
    """A query that its readers may see the result of, without a right on what it reads."""

    query: str
    """GoogleSQL, with tables and materialized views of the dataset as `{name}`."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may read the view, by any short name."""


class MaterializedView(View):
    """A query whose result is kept and kept fresh: aggregates that need not scan the table."""

    refresh_minutes: NotRequired[int]
    """Minutes between refreshes at least, 1 to 10080; default 30."""


class WarehouseArgs(TypedDict):
    """Arguments of Warehouse."""

    project: pulumi.Input[str]
    """Id of the project."""
    location: str
    """Region of the data."""
    tables: Mapping[str, Table]
    """Tables by name."""
    materialized_views: NotRequired[Mapping[str, MaterializedView]]
    """Materialized views by name; they read tables."""
    views: NotRequired[Mapping[str, View]]
    """Authorised views by name; they read tables and materialized views."""
    kms_key: NotRequired[pulumi.Input[str] | None]
    """Key the data is encrypted with, usable by BigQuery; without, Google's own."""
    deletion_protection: NotRequired[bool]
    """Whether dataset and tables are protected from deletion; default true."""


def shape_of(table: TableShape) -> TableShape:
    """Return the table's shape: its own, or that of the prediction log."""
    return table if "fields" in table else {**PREDICTION_LOG, **table}


def dataset_id(name: str) -> str:
    """Return the dataset's name."""
    return name.replace("-", "_")


def validate_warehouse(name: str, args: WarehouseArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(WarehouseArgs, args)
    tables = args["tables"]
    materialized, views = args.get("materialized_views", {}), args.get("views", {})
    _check_id(problems, "name", dataset_id(name))
    problems.check_not_empty("tables", tables, "a table")
    for key, table in tables.items():
        _check_id(problems, f"tables.{key}", key)
        check_shape(problems, f"tables.{key}", shape_of(table))
    for key, view in materialized.items():
        path = f"materialized_views.{key}"
        _check_id(problems, path, key)
        if key in tables:
            problems.add(path, f"found {key!r}, a table's name; allowed: each name once; rename it")
        _check_query(problems, path, view["query"], tables)
        check_between(
            problems, f"{path}.refresh_minutes", view.get("refresh_minutes", 30), 1, 10080
        )
    for key, view in views.items():
        _check_id(problems, f"views.{key}", key)
        _check_query(problems, f"views.{key}", view["query"], {**tables, **materialized})
    check_key(problems, "kms_key", args.get("kms_key"), args["location"])
    return problems


def _check_id(problems: Problems, path: str, name: str) -> None:
    if not _ID.fullmatch(name):
        problems.add(path, f"found {name!r}; allowed: {_ID_RULE}")


def _check_query(problems: Problems, path: str, query: str, known: Mapping[str, object]) -> None:
    sources = SOURCE.findall(query)
    problems.check_not_empty(f"{path}.query", sources, f"one of {', '.join(known)} in braces")
    for source in sources:
        if source not in known:
            problems.add(
                f"{path}.query",
                f"found {{{source}}}; allowed: {', '.join(known)}; add it or name one of them",
            )
