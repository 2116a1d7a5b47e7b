"""Columns of a BigQuery table: each once, and fit to partition and cluster by."""

from collections.abc import Iterator, Sequence
from typing import Final

from config.errors import KeyPath, Problem, did_you_mean, listed, shown
from config.pipelines import ResultField, Results

_PARTITION_TYPES: Final = frozenset({"TIMESTAMP", "DATE", "DATETIME"})
# https://cloud.google.com/bigquery/docs/clustered-tables
_CLUSTER_TYPES: Final = frozenset(
    {
        "BIGNUMERIC",
        "BOOLEAN",
        "DATE",
        "DATETIME",
        "GEOGRAPHY",
        "INTEGER",
        "NUMERIC",
        "STRING",
        "TIMESTAMP",
    }
)
# https://cloud.google.com/bigquery/docs/schemas#column_names
_RESERVED_PREFIXES: Final = (
    "_table_",
    "_file_",
    "_partition",
    "_row_timestamp",
    "__root__",
    "_colidentifier",
    "_change_sequence_number",
    "_change_type",
    "_change_timestamp",
)


def check_columns(path: KeyPath, results: Results) -> Iterator[Problem]:
    """Check the columns, partitions and clusters of a table."""
    yield from check_column_names(path, results.fields)
    yield from _check_column(
        (*path, "partition_field"), results, results.partition_field, _PARTITION_TYPES
    )
    for position, name in enumerate(results.cluster_by):
        where = (*path, "cluster_by", position)
        yield from _check_column(where, results, name, _CLUSTER_TYPES)
        if name in results.cluster_by[:position]:
            yield Problem(where, f"{shown(name)} again", "each column once", "remove it")


def check_column_names(path: KeyPath, fields: Sequence[ResultField]) -> Iterator[Problem]:
    """Check that no name stands twice, and that BigQuery keeps none for itself."""
    seen: set[str] = set()
    for position, field in enumerate(fields):
        where = (*path, "fields", position, "name")
        if field.name.lower() in seen:
            yield Problem(
                where,
                f"{shown(field.name)} again",
                "each column once (BigQuery ignores case)",
                "rename one of them",
            )
        seen.add(field.name.lower())
        if field.name.lower().startswith(_RESERVED_PREFIXES):
            yield Problem(
                where,
                shown(field.name),
                f"a name without BigQuery's own prefixes {listed(_RESERVED_PREFIXES)}",
                "rename it",
            )


def _check_column(
    path: KeyPath, results: Results, name: str, types: frozenset[str]
) -> Iterator[Problem]:
    columns = {field.name: field for field in results.fields}
    field = columns.get(name)
    if field is None:
        yield Problem(
            path,
            shown(name),
            f"a column of fields: {listed(columns)}",
            did_you_mean(name, columns, "add it to fields or choose one of them"),
        )
    elif field.type not in types or field.mode == "REPEATED":
        yield Problem(
            path,
            f"{shown(name)} ({field.mode} {field.type})",
            f"a column of one of the types {listed(types)}, not REPEATED",
            "choose another column or change its type",
        )
