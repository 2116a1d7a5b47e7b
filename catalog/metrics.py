"""What can be seen of the platform: metrics, queries, and the charts and alerts made of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Template
from typing import cast

from catalog.table import CatalogError, read, rows

DASHBOARDS = ("inference", "serverless", "vertex")
MATCHERS = (
    *("models", "served", "pools", "namespace", "containers"),
    *("pushing", "fetched", "exports", "sinks", "delivered", "forwarding", "dead_letters"),
    *("subscriptions", "jobs", "services", "endpoints"),
)
"""What the program fills into queries, as PromQL label matchers, beside the metrics."""


@dataclass(frozen=True)
class Metric:
    """A metric as PromQL names it, its kind (counter, gauge, histogram) and its source's key."""

    name: str
    kind: str
    source: str


@dataclass(frozen=True)
class Query:
    """A PromQL template, and the template of its lines' names."""

    promql: str
    legend: str

    def text(self, matchers: Mapping[str, str]) -> str:
        """Return the query with its metrics and `matchers` filled in. Raises KeyError for what
        lacks."""
        names = {key: metric.name for key, metric in METRICS.items()}
        return Template(self.promql).substitute({**matchers, **names})

    def is_about(self, matchers: Mapping[str, str]) -> bool:
        """Return whether `matchers` have every matcher it needs."""
        return self.names <= {*METRICS, *matchers}

    @cached_property
    def names(self) -> frozenset[str]:
        """The metrics and matchers that it needs."""
        return frozenset(Template(self.promql).get_identifiers())


@dataclass(frozen=True)
class Chart:
    """A chart of a dashboard. The unit is UCUM."""

    dashboard: str
    section: str
    title: str
    unit: str
    queries: tuple[str, ...]


@dataclass(frozen=True)
class Alert:
    """When to tell somebody, and what they shall look at."""

    dashboard: str
    title: str
    query: str
    comparison: str
    threshold: str
    minutes: int
    severity: str
    runbook: str


_document = read("metrics.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
SOURCES: Mapping[str, str] = cast("Mapping[str, str]", _document["sources"])
METRICS: Mapping[str, Metric] = rows(Metric, _document, "metrics")
QUERIES: Mapping[str, Query] = rows(Query, _document, "queries")
CHARTS: Mapping[str, Chart] = rows(Chart, _document, "charts")
ALERTS: Mapping[str, Alert] = rows(Alert, _document, "alerts")


def _check_references() -> None:
    known = {*METRICS, *MATCHERS}
    for key, query in QUERIES.items():
        if unknown := sorted(query.names - known):
            raise CatalogError(f"queries.{key}: found {unknown}, expected metrics or {MATCHERS}")
    asked = [
        *((f"charts.{key}", name) for key, chart in CHARTS.items() for name in chart.queries),
        *((f"alerts.{key}", alert.query) for key, alert in ALERTS.items()),
    ]
    for where, name in asked:
        if name not in QUERIES:
            raise CatalogError(f"{where}: found query {name!r}, expected one of {sorted(QUERIES)}")


_check_references()
