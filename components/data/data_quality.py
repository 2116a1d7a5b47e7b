"""DataQuality: looks again and again whether the rows of a table are as they should be.

Owns the scans of Dataplex and the alert of what they find. Does not own the table.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_gcp as gcp

from catalog.limits import bigquery, data_quality
from components.log_alert import log_alert
from components.names import label_of
from components.ready import after
from components.validation import Problems, component_type, register

Expectation = gcp.dataplex.DatascanDataQualitySpecRuleArgsDict
_LONGEST_NAME = 63


class ColumnRule(TypedDict):
    """What must hold of a column. Where it is empty, `required` alone says whether that is fine."""

    required: NotRequired[bool]
    """Whether it must be set."""
    unique: NotRequired[bool]
    """Whether no two rows may have the same."""
    minimum: NotRequired[float]
    """Least number."""
    maximum: NotRequired[float]
    """Greatest number."""
    values: NotRequired[Annotated[Sequence[str], data_quality.VALUES]]
    """What it may be."""
    pattern: NotRequired[str]
    """Regular expression (RE2) that it matches."""
    passing_percent: NotRequired[Annotated[float, data_quality.PASSING_PERCENT]]
    """Share of the rows of which it must hold."""


class DataQualityArgs(TypedDict):
    """Arguments of DataQuality."""

    project: pulumi.Input[str]
    """Id of the project; the APIs of Dataplex, BigQuery and Monitoring are on."""
    project_number: pulumi.Input[str]
    """Number of the project."""
    region: str
    """Region of the table."""
    table: pulumi.Input[str]
    """`<project>.<dataset>.<table>`"""
    scanned_by: str
    """Column of type DATE or TIMESTAMP that the table is partitioned by: a scan reads the rows that
    came since the one before."""
    rules: Annotated[
        Mapping[Annotated[str, bigquery.COLUMN], ColumnRule],
        data_quality.RULES,
    ]
    """What must hold, by column."""
    fewest_rows: NotRequired[Annotated[int | None, data_quality.FEWEST_ROWS]]
    """Rows that must have come since the scan before; without, there may be none."""
    schedule: NotRequired[Annotated[str, data_quality.SCAN_SCHEDULE]]
    """When it is scanned."""
    profile: NotRequired[bool]
    """Whether it is noted, too, how the values of each column are spread; default true."""
    channels: NotRequired[Sequence[pulumi.Input[str]]]
    """Full names of notification channels of those who are told of what doesn't hold."""


class DataQuality(pulumi.ComponentResource):
    """Scans a table by rules, puts what is found beside it in the catalogue, and tells of failures.

    Scans run as Dataplex's own agent, which Google lets read the project's tables: nothing is
    granted. An alert tells, once an hour at most, that a rule failed or a scan could not be made.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/dataplex/docs/auto-data-quality-overview
    https://cloud.google.com/dataplex/docs/use-auto-data-quality
    """

    scan_id: pulumi.Output[str]
    """Full name of the scan by rules; waits for its alert."""

    def __init__(
        self, name: str, args: DataQualityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(DataQuality), name, {}, opts)
        problems = Problems.of(DataQualityArgs, args)
        for column, rule in args["rules"].items():
            problems.extend(data_quality.rule(rule), "rules", column)
        problems.raise_if_any(f"DataQuality {name}")
        self._name = name
        self._args = args
        scan = self._scan(
            "quality",
            data_quality_spec={
                "catalog_publishing_enabled": True,
                "rules": [*self._expectations()],
            },
        )
        if args.get("profile", True):
            self._scan("profile", data_profile_spec={"catalog_publishing_enabled": True})
        alert = log_alert(
            f"{name}-failed",
            project=args["project"],
            title=f"{name}: rows are not as they should be",
            found_by=pulumi.Output.format(
                'resource.type="dataplex.googleapis.com/DataScan" AND '
                'resource.labels.resource_container="projects/{0}" AND '
                'resource.labels.datascan_id="{1}" AND '
                '(labels."dataplex.googleapis.com/data_scan_state"="FAILED" OR '
                '(labels."dataplex.googleapis.com/data_scan_state"="SUCCEEDED" AND '
                "NOT jsonPayload.dataQuality.passed=true))",
                args["project_number"],
                scan.data_scan_id,
            ),
            advice="The table's page in BigQuery says which rules failed, with a query for the "
            "rows. See docs/tasks/fill-a-table.md.",
            channels=args.get("channels", ()),
            parent=self,
        )
        self.scan_id = after(scan.id, alert.id)
        register(self)

    def _scan(self, what: str, **spec: Any) -> gcp.dataplex.Datascan:
        args = self._args
        parts = pulumi.Output.from_input(args["table"]).apply(lambda full: full.split("."))
        return gcp.dataplex.Datascan(
            f"{self._name}-{what}",
            project=args["project"],
            location=args["region"],
            data_scan_id=label_of(self._name, what),
            display_name=f"{self._name}: {what}",
            data={
                "resource": parts.apply(
                    lambda each: (
                        f"//bigquery.googleapis.com/projects/{each[0]}/datasets/{each[1]}"
                        f"/tables/{each[2]}"
                    )
                )
            },
            execution_spec={
                "field": args["scanned_by"],
                "trigger": {
                    "schedule": {
                        "cron": args.get("schedule", data_quality.SCAN_SCHEDULE.default),
                    }
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
            **spec,
        )

    def _expectations(self) -> Iterator[Expectation]:
        least = self._args.get("fewest_rows")
        if least is not None:
            expression = f"COUNT(*) >= {least}"
            yield {
                "name": "fewest-rows",
                "dimension": "VOLUME",
                "table_condition_expectation": {"sql_expression": expression},
            }
        for column, rule in self._args["rules"].items():
            share = rule.get("passing_percent", data_quality.PASSING_PERCENT.default) / 100
            for what, expectation in _of(rule):
                named = f"{what}-{column.replace('_', '-')}"
                yield cast(
                    "Expectation",
                    {
                        "name": named[:_LONGEST_NAME].rstrip("-"),
                        "column": column,
                        "threshold": share,
                        **expectation,
                    },
                )


def _of(rule: ColumnRule) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what a rule expects, each by its name; Dataplex has one row for each."""
    if rule.get("required", False):
        yield "required", {"dimension": "COMPLETENESS", "non_null_expectation": {}}
    if rule.get("unique", False):
        yield "unique", {"dimension": "UNIQUENESS", "uniqueness_expectation": {}}
    valid = {"dimension": "VALIDITY", "ignore_null": True}
    if "minimum" in rule or "maximum" in rule:
        bounds = {
            f"{end}_value": f"{rule[key]:g}"
            for end, key in (("min", "minimum"), ("max", "maximum"))
            if key in rule
        }
        yield "range", {**valid, "range_expectation": bounds}
    if rule.get("values"):
        yield "values", {**valid, "set_expectation": {"values": [*rule.get("values", ())]}}
    if "pattern" in rule:
        yield "pattern", {**valid, "regex_expectation": {"regex": rule["pattern"]}}
