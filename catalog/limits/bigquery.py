"""Limits of BigQuery's tables and views."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from catalog.limits import Choice, Entries, Range, Text
from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from catalog.sql import elsewhere, not_one_select

Column = Mapping[str, str]

TYPE: Final = Choice(
    (
        *("STRING", "BYTES", "INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "TIMESTAMP"),
        *("DATE", "TIME", "DATETIME", "GEOGRAPHY", "JSON"),
    )
)
"""Nested data goes into JSON. https://cloud.google.com/bigquery/docs/schemas"""
ALIASES: Final[Mapping[str, str]] = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
}
"""What SQL calls the types of a schema."""
MODE: Final = Choice(("NULLABLE", "REQUIRED", "REPEATED"), default="NULLABLE")
COLUMN: Final = Text(
    "[A-Za-z_][A-Za-z0-9_]{0,299}",
    "a BigQuery column: letters, digits or underscores, no digit first",
)
COLUMNS: Final = Entries("a column")
CLUSTER_BY: Final = Entries(low=0, high=4)
EXPIRATION_DAYS: Final = Range(1, 36500, "days")
DATASET: Final = Text(
    "[a-z][a-z0-9_]{0,39}",
    "1 to 40 lowercase letters, digits or underscores, a letter first",
    "change it (it is the name of a BigQuery dataset)",
)
TABLE: Final = Text(
    "[a-z][a-z0-9_]{0,62}",
    "1 to 63 lowercase letters, digits or underscores, a letter first",
    "change it (it is the name of a BigQuery table)",
)
TABLE_PATH: Final = Text(
    "[a-z][a-z0-9_]{0,39}[.][a-z][a-z0-9_]{0,62}",
    "<dataset>.<table> of data.warehouse",
    "write it like inference.predictions",
)
TABLES: Final = Entries("a table")
REFRESH_MINUTES: Final = Range(1, 10080, "minutes", default=30)

RESULTS: Final[Sequence[Column]] = (
    {"name": "message_id", "type": "STRING", "mode": "REQUIRED"},
    {"name": "processed_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
    {"name": "model", "type": "STRING"},
    {"name": "input", "type": "STRING"},
    {"name": "output", "type": "JSON"},
    {"name": "latency_ms", "type": "INTEGER"},
)
"""Columns of a pipeline's results where none are given."""
PREDICTION_LOG: Final[Sequence[Column]] = (
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
)
"""Columns of a table of a dataset where none are given."""

_PARTITION_TYPES: Final = frozenset({"TIMESTAMP", "DATE", "DATETIME"})
_CLUSTER_TYPES: Final = _PARTITION_TYPES | {
    *("BIGNUMERIC", "BOOLEAN", "GEOGRAPHY", "INTEGER", "NUMERIC", "STRING")
}
"""https://cloud.google.com/bigquery/docs/clustered-tables"""
# https://cloud.google.com/bigquery/docs/schemas#column_names
_RESERVED_PREFIXES: Final = (
    *("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier"),
    *("_change_sequence_number", "_change_type", "_change_timestamp"),
)
SOURCE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How a query names a table or view of its own dataset: `{predictions}`."""


def clusters(fields: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns that a table is clustered by where none are given."""
    return tuple(field["name"] for field in fields if field["name"] == "model")


def shape(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield columns, partitions and clusters that BigQuery refuses."""
    yield from columns(given["fields"])
    if (field := given.get("partition_field")) is not None:
        yield from found_column(given["fields"], field, _PARTITION_TYPES, ("partition_field",))
    cluster_by = given.get("cluster_by") or ()
    for position, name in enumerate(cluster_by):
        where = ("cluster_by", position)
        yield from found_column(given["fields"], name, _CLUSTER_TYPES, where)
        if name in cluster_by[:position]:
            yield Problem(where, f"{shown(name)} again", "each column once", "remove it")


def columns(fields: Sequence[Column]) -> Iterator[Problem]:
    """Yield names that stand twice, or that BigQuery keeps for itself."""
    seen: set[str] = set()
    for position, name in enumerate(field["name"] for field in fields):
        where = ("fields", position, "name")
        if name.lower() in seen:
            yield Problem(
                where,
                f"{shown(name)} again",
                "each column once (BigQuery ignores case)",
                "rename one of them",
            )
        seen.add(name.lower())
        if name.lower().startswith(_RESERVED_PREFIXES):
            yield Problem(
                where,
                shown(name),
                f"a name without BigQuery's own prefixes {joined(_RESERVED_PREFIXES)}",
                "rename it",
            )


def found_column(
    fields: Sequence[Column], name: str, types: Collection[str] | None, path: KeyPath
) -> Iterator[Problem]:
    """Yield what keeps a name from being that of a column of one of the types; None: any."""
    known = {field["name"]: field for field in fields}
    field = known.get(name)
    if field is None:
        yield Problem(
            path,
            shown(name),
            f"a column of fields: {joined(known)}",
            did_you_mean(name, known, "add it to fields or choose one of them"),
        )
        return
    mode = field.get("mode", MODE.default)
    if types is not None and (field["type"] not in types or mode == "REPEATED"):
        yield Problem(
            path,
            f"{shown(name)} ({mode} {field['type']})",
            f"a column of one of the types {joined(types)}, not REPEATED",
            "choose another column or change its type",
        )


def queries(dataset: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield views of a dataset with another's name, or whose query reads what is not there."""
    tables: Mapping[str, object] = dataset["tables"]
    materialized: Mapping[str, Mapping[str, str]] = dataset.get("materialized_views") or {}
    views: Mapping[str, Mapping[str, str]] = dataset.get("views") or {}
    for name, view in materialized.items():
        path = ("materialized_views", name)
        if name in tables:
            yield Problem(path, "the name of a table", "a name of its own", "rename one of them")
        yield from _query((*path, "query"), view["query"], tables)
    for name, view in views.items():
        yield from _query(("views", name, "query"), view["query"], {*tables, *materialized})


def _query(path: KeyPath, query: str, readable: Collection[str]) -> Iterator[Problem]:
    sources = dict.fromkeys(SOURCE.findall(query))
    if not sources:
        yield Problem(
            path,
            "a query without a table in braces",
            f"one of {joined(readable)}",
            "write it like SELECT model FROM {predictions}",
        )
    elif (found := not_one_select(SOURCE.sub(r"\1", query))) is not None:
        remedy = "write one query: a view only reads"
        yield Problem(path, found, "one SELECT of GoogleSQL", remedy)
    elif (found := elsewhere(SOURCE.sub(r"\1", query))) is not None:
        remedy = "copy the data here first, or leave the project out where it is this one"
        yield Problem(path, found, "tables of this project, without its name", remedy)
    for source in sources:
        if source not in readable:
            yield Problem(
                path,
                f"{{{source}}}",
                joined(readable),
                did_you_mean(source, readable, "add the table, or name one of them"),
            )
