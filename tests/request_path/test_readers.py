"""What is deployed, read by those that will read it: Prometheus, BigQuery, Monitoring."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import promql_parser
import pytest
import sqlglot
from sqlglot.errors import ParseError

from tests.engine.conftest import Rehearsal

STACKS = ("dev", "prod")
_IN_THE_PATH = {"project", "service", "serviceId", "sloId", "__defaults"}
MONITORING_API = Path(__file__).with_name("monitoring_api.py")


def texts(value: Any, key: str) -> Iterator[str]:
    """Every text under a key, also in documents that are texts themselves."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name == key and isinstance(item, str):
                yield item
            elif name == "dashboardJson":
                yield from texts(json.loads(item), key)
            else:
                yield from texts(item, key)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from texts(item, key)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    ("type_", "key"),
    [
        ("gcp:monitoring/alertPolicy:AlertPolicy", "query"),
        ("gcp:monitoring/dashboard:Dashboard", "prometheusQuery"),
    ],
)
def test_prometheus_takes_every_query(
    stack: str, type_: str, key: str, rehearsals: dict[str, Rehearsal]
) -> None:
    queries = [
        text
        for resource in rehearsals[stack].resources(type_)
        for text in texts(resource["inputs"], key)
    ]
    assert len(queries) > 5
    for query in queries:
        promql_parser.parse(query)


def test_prometheus_refuses_what_is_no_query() -> None:
    with pytest.raises(ValueError):
        promql_parser.parse("rate(up) by")


def test_bigquery_takes_every_view(rehearsals: dict[str, Rehearsal]) -> None:
    views = [
        text
        for table in rehearsals["prod"].resources("gcp:bigquery/table:Table")
        for text in texts(table["inputs"], "query")
    ]
    assert views
    for view in views:
        assert len(sqlglot.parse(view, dialect="bigquery")) == 1
    with pytest.raises(ParseError):
        sqlglot.parse(f"{views[0]} GROUP", dialect="bigquery")


def refusals(documents: Sequence[tuple[str, str]]) -> list[str | None]:
    """Return what Cloud Monitoring's API says of each document."""
    answer = subprocess.run(
        [sys.executable, MONITORING_API],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def monitored(resource: dict[str, Any]) -> tuple[str, str] | None:
    """Return the type and document that the provider sends, the project being in its path."""
    module, _, type_ = resource["type"].rpartition(":")
    if not module.startswith("gcp:monitoring/"):
        return None
    inputs: dict[str, Any] = resource["inputs"]
    own = {name: value for name, value in inputs.items() if name not in _IN_THE_PATH}
    # The provider puts them among the labels.
    own.pop("sensitiveLabels", None)
    if type_ == "Slo":
        own["rollingPeriod"] = f"{own.pop('rollingPeriodDays') * 86400}s"
        own["serviceLevelIndicator"] = {"requestBased": own.pop("requestBasedSli")}
    return type_, own.get("dashboardJson") or json.dumps(own)


def test_monitoring_takes_every_dashboard_alert_channel_and_objective(
    rehearsals: dict[str, Rehearsal],
) -> None:
    found = [
        document
        for stack in STACKS
        for resource in rehearsals[stack].resources()
        if (document := monitored(resource))
    ]
    assert {type_ for type_, _ in found} == {
        *("AlertPolicy", "CustomService", "Dashboard", "NotificationChannel", "Slo")
    }
    assert refusals(found) == [None] * len(found)


def test_monitoring_refuses_a_field_that_it_does_not_have() -> None:
    documents = [
        ("AlertPolicy", '{"displayName": "a", "treshold": 1}'),
        ("Dashboard", '{"mosaicLayout": {"tiles": [{"widget": {"xyCharts": {}}}]}}'),
        ("AlertPolicy", '{"combiner": "XOR"}'),
        ("NotificationChannel", '{"enabled": "yes"}'),
        ("Slo", '{"goal": 0.9, "rollingPeriodDays": 28}'),
    ]
    assert None not in refusals(documents)
