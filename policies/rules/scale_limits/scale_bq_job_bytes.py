"""A query job cannot read, or run, past a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, Absence, get, number, show
from resources.resource import Resource

_GIB: Final = 2.0**30


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if get(resource.props, "query") is MISSING:
        return
    for path, name, unit in (
        (("query", "maximumBytesBilled"), "maxGib", _GIB),
        (("jobTimeoutMs",), "maxMinutes", 60e3),
    ):
        cap = limits.number(name)
        found = number(resource.props, *path)
        if isinstance(found, Absence):
            yield f"its {path[-1]} is {found.value}, allowed {show(cap * unit)}"
        elif found > cap * unit:
            yield f"its {path[-1]} is {show(found)}, allowed {show(cap * unit)}"


RULE: Final = ResourceRule(
    id="scale-bq-job-bytes",
    display_name="BigQuery jobs are capped",
    description=(
        "A BigQuery query job states the most bytes it may bill and the longest it may run, "
        "within the caps."
    ),
    why=(
        "One query without a filter can read the whole table and cost more than the pipeline "
        "that fills it."
    ),
    remediation="set query.maximumBytesBilled and jobTimeoutMs to plain numbers within the caps.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/bigquery/docs/best-practices-costs#limit_query_costs_by_restricting_the_number_of_bytes_billed",
    limits=(
        NumberLimit("maxGib", "Most bytes one query may bill, in GiB"),
        NumberLimit("maxMinutes", "Longest a query may run, in minutes"),
    ),
    applies=lambda resource_type: resource_type == "gcp:bigquery/job:Job",
    check=_check,
)
