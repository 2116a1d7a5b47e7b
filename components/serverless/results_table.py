"""ResultsTable: where a pipeline writes its results.

Owns a BigQuery dataset with one table and the right to write to it. Does not own who reads it.
"""

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import bigquery as limits
from components.data.table_shape import TableShape, partitioning, schema, shape_of
from components.ready import after
from components.validation import Problems, component_type, register

TABLE_ID = "results"

_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")


class Results(TableShape):
    """The shape of the table. Without `fields`: message id, time, model, input, output and
    latency."""


class ResultsTableArgs(TypedDict):
    """Arguments of ResultsTable."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the dataset."""
    writers: Mapping[str, pulumi.Input[str]]
    """Emails, by any short name, of the service accounts that write rows."""
    results: NotRequired[Results]
    """The shape of the table."""
    dataset_id: NotRequired[str]
    """Name of the dataset that is made; default: the component's, with underscores for hyphens."""
    dataset: NotRequired[pulumi.Input[str]]
    """Name of a dataset that is there; without, one is made."""
    table_id: NotRequired[str]
    """Name of the table; default `results`."""
    deletion_protection: NotRequired[bool]
    """Whether dataset and table are protected from deletion; default true."""


def validate_results_table(name: str, args: ResultsTableArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(ResultsTableArgs, args)
    if not _DATASET.fullmatch(dataset_of(name)):
        problems.add(
            "name", f"found {name!r}; allowed: up to 1024 letters, digits, hyphens or underscores"
        )
    problems.extend(limits.shape(results_of(args.get("results", {}))), "results")
    return problems


def results_of(results: Results) -> TableShape:
    """Return the shape of the table: the one given, or that of results."""
    return shape_of(results, limits.RESULTS, "processed_at")


def dataset_of(name: str) -> str:
    """Return the name of the dataset that a component of that name makes."""
    return name.replace("-", "_")


class ResultsTable(pulumi.ComponentResource):
    """A BigQuery table, partitioned by day, in a dataset of its own, or in one that is there.

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
        stateful = pulumi.ResourceOptions(
            parent=self, protect=deletion_protection or None, delete_before_replace=True
        )
        dataset = (
            args.get("dataset")
            or gcp.bigquery.Dataset(
                f"{name}-dataset",
                project=args["project"],
                dataset_id=args.get("dataset_id", dataset_of(name)),
                location=args["region"],
                delete_contents_on_destroy=False,
                opts=stateful,
            ).dataset_id
        )
        shape = results_of(args.get("results", {}))
        table = gcp.bigquery.Table(
            f"{name}-table",
            project=args["project"],
            dataset_id=dataset,
            table_id=args.get("table_id", TABLE_ID),
            schema=schema(shape),
            time_partitioning=partitioning(shape),
            require_partition_filter=True,
            clusterings=[*shape.get("cluster_by", ())] or None,
            deletion_protection=deletion_protection,
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
        self.table = after(
            pulumi.Output.format("{0}.{1}.{2}", args["project"], table.dataset_id, table.table_id),
            *[grant.id for grant in grants],
        )
        register(self)
