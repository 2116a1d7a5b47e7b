"""ResultsTable: where a pipeline writes its results.

Owns a BigQuery dataset with one table and the right to write to it. Does not own who reads it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.checks import check_between, check_labels
from components.validation import Problems, component_type

TABLE_ID = "results"

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
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_DAY_MS = 24 * 3600 * 1000


class Field(TypedDict):
    """A column."""

    name: str
    type: str
    """BigQuery type, such as STRING, INT64, FLOAT64, BOOL, TIMESTAMP or JSON."""
    mode: NotRequired[str]
    """NULLABLE (default), REQUIRED or REPEATED."""


class Results(TypedDict):
    """The shape of the table. Without `fields`, that of DEFAULT_RESULTS."""

    fields: NotRequired[Sequence[Field]]
    """Columns. Default: message id, time, model, input, output and latency."""
    partition_field: NotRequired[str]
    """Column whose day picks the partition; without, the day a row arrives."""
    partition_expiration_days: NotRequired[int | None]
    """Age at which a partition is deleted; without, never."""
    cluster_by: NotRequired[Sequence[str]]
    """Columns rows are sorted by, up to four, the one most filtered by first."""


DEFAULT_RESULTS: Results = {
    "fields": [
        {"name": "message_id", "type": "STRING", "mode": "REQUIRED"},
        {"name": "processed_at", "type": "TIMESTAMP", "mode": "REQUIRED"},
        {"name": "model", "type": "STRING"},
        {"name": "input", "type": "STRING"},
        {"name": "output", "type": "JSON"},
        {"name": "latency_ms", "type": "INTEGER"},
    ],
    "partition_field": "processed_at",
    "cluster_by": ["model"],
}


class ResultsTableArgs(TypedDict):
    """Arguments of ResultsTable."""

    project: pulumi.Input[str]
    """Id of the project."""
    location: str
    """Region of the dataset."""
    writers: Mapping[str, pulumi.Input[str]]
    """Emails, by any short name, of the service accounts that write rows."""
    results: NotRequired[Results]
    """The shape of the table."""
    dataset_id: NotRequired[str]
    """Name of the dataset; default: the component's, with underscores for hyphens."""
    table_id: NotRequired[str]
    """Name of the table; default `results`."""
    deletion_protection: NotRequired[bool]
    """Whether dataset and table are protected from deletion; default true."""
    labels: NotRequired[Mapping[str, str]]
    """Google Cloud labels."""


def validate_results_table(name: str, args: ResultsTableArgs) -> Problems:
    """Checks the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems()
    if not _DATASET.fullmatch(_dataset_id(name)):
        problems.add(
            "name", f"found {name!r}, allowed: up to 1024 letters, digits, hyphens or underscores"
        )
    check_results(problems, "results", args.get("results", {}))
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


def check_results(problems: Problems, path: str, results: Results) -> None:
    """Notes a table BigQuery refuses."""
    shape = _shape(results)
    fields = shape.get("fields", ())
    problems.check_not_empty(f"{path}.fields", fields, "a column")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        where = f"{path}.fields[{index}]"
        if not _COLUMN.fullmatch(field["name"]):
            problems.add(
                f"{where}.name",
                f"found {field['name']!r}, allowed: up to 300 letters, digits or underscores, a "
                "letter or underscore first",
            )
        if field["name"].lower() in seen:
            problems.add(
                f"{where}.name",
                f"found {field['name']!r} again, allowed: each name once; case does not tell "
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
            f"found {len(cluster_by)} columns, allowed: up to {_MOST_CLUSTER_COLUMNS}",
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
            f"found {column!r}, allowed: {', '.join(allowed) or 'none of the fields given'}; a "
            f"field, not REPEATED, of type {', '.join(sorted(types))}",
        )


def _shape(results: Results) -> Results:
    return results if "fields" in results else {**DEFAULT_RESULTS, **results}


def _dataset_id(name: str) -> str:
    return name.replace("-", "_")


class ResultsTable(pulumi.ComponentResource):
    """A BigQuery table, partitioned by day, in a dataset of its own.

    Queries must name the days they read, so that none scans the whole table by mistake. Only the
    given writers may write, and to this table alone. Changing columns other than by adding some, or
    the partitioning, replaces the table.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/bigquery/docs/partitioned-tables
    """

    table: pulumi.Output[str]
    """`<project>.<dataset>.<table>`; waits for the writers' grants."""

    def __init__(
        self, name: str, args: ResultsTableArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ResultsTable), name, {}, opts)
        validate_results_table(name, args).raise_if_any(f"ResultsTable {name}")
        deletion_protection = args.get("deletion_protection", True)
        labels = args.get("labels", {})
        stateful = pulumi.ResourceOptions(
            parent=self, protect=deletion_protection or None, delete_before_replace=True
        )
        dataset = gcp.bigquery.Dataset(
            f"{name}-dataset",
            project=args["project"],
            dataset_id=args.get("dataset_id", _dataset_id(name)),
            location=args["location"],
            delete_contents_on_destroy=False,
            labels=labels,
            opts=stateful,
        )
        shape = _shape(args.get("results", {}))
        table = gcp.bigquery.Table(
            f"{name}-table",
            project=args["project"],
            dataset_id=dataset.dataset_id,
            table_id=args.get("table_id", TABLE_ID),
            schema=_schema(shape.get("fields", ())),
            time_partitioning=_partitioning(shape),
            require_partition_filter=True,
            clusterings=[*shape.get("cluster_by", ())] or None,
            deletion_protection=deletion_protection,
            labels=labels,
            opts=stateful,
        )
        grants = [
            gcp.bigquery.IamMember(
                f"{name}-write-{writer}",
                project=args["project"],
                dataset_id=table.dataset_id,
                table_id=table.table_id,
                role="roles/bigquery.dataEditor",
                member=pulumi.Output.concat("serviceAccount:", email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for writer, email in args["writers"].items()
        ]
        self.table = pulumi.Output.all(
            args["project"], table.dataset_id, table.table_id, *[grant.id for grant in grants]
        ).apply(lambda values: ".".join(values[:3]))
        self.register_outputs({"table": self.table})


def _schema(fields: Sequence[Field]) -> str:
    return json.dumps(
        [
            {
                "name": field["name"],
                "type": field["type"].upper(),
                "mode": field.get("mode", "NULLABLE").upper(),
            }
            for field in fields
        ]
    )


def _partitioning(shape: Results) -> gcp.bigquery.TableTimePartitioningArgsDict:
    partitioning: gcp.bigquery.TableTimePartitioningArgsDict = {"type": "DAY"}
    field = shape.get("partition_field")
    if field is not None:
        partitioning["field"] = field
    days = shape.get("partition_expiration_days")
    if days is not None:
        partitioning["expiration_ms"] = days * _DAY_MS
    return partitioning
