"""What can be seen of the platform: metrics, queries, the charts, alerts and objectives of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True)
class Indicator:
    """The requests an objective counts: a metric as Cloud Monitoring names it, and filters.

    `bad` says which of a counter's are bad; a histogram's are by their value, of which one second
    is `per_second`.
    """

    metric: str
    resource: str
    filter: str
    type: str = ""
    bad: str = ""
    per_second: int = 1

    @property
    def metric_type(self) -> str:
        """The metric's type in Cloud Monitoring."""
        metric = METRICS[self.metric]
        return self.type or f"prometheus.googleapis.com/{metric.name}/{metric.kind}"

    @property
    def names(self) -> frozenset[str]:
        """What the program fills into the filter."""
        return frozenset(Template(self.filter).get_identifiers())

    def text(self, values: Mapping[str, Sequence[str]]) -> str:
        """Return the monitoring filter of all its requests. Raises KeyError for what lacks."""
        given = {name: _literal(each) for name, each in values.items()}
        about = Template(self.filter).substitute(given)
        return (
            f'metric.type = "{self.metric_type}" AND resource.type = "{self.resource}" AND {about}'
        )


@dataclass(frozen=True)
class BurnRate:
    """How fast an error budget may be spent, in the last `hours` and still the last `minutes`."""

    rate: float
    hours: int
    minutes: int
    severity: str
    runbook: str

    def may_fire(self, goal: float) -> bool:
        """Return whether an error budget can be spent so fast: all requests being bad, that is
        1 / (1 - goal) times as fast as it lasts."""
        return self.rate * (1 - goal) < 1


def _literal(values: Sequence[str]) -> str:
    quoted = [f'"{each}"' for each in values]
    return quoted[0] if len(quoted) == 1 else f"one_of({', '.join(quoted)})"


_document = read("metrics.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
SOURCES: Mapping[str, str] = cast("Mapping[str, str]", _document["sources"])
METRICS: Mapping[str, Metric] = rows(Metric, _document, "metrics")
QUERIES: Mapping[str, Query] = rows(Query, _document, "queries")
CHARTS: Mapping[str, Chart] = rows(Chart, _document, "charts")
ALERTS: Mapping[str, Alert] = rows(Alert, _document, "alerts")
INDICATORS: Mapping[str, Indicator] = rows(Indicator, _document, "indicators")
BURN_RATES: Mapping[str, BurnRate] = rows(BurnRate, _document, "burn_rates")


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
    for key, indicator in INDICATORS.items():
        kind = "counter" if indicator.bad else "histogram"
        metric = METRICS.get(indicator.metric)
        if metric is None or metric.kind != kind:
            raise CatalogError(f"indicators.{key}: found {indicator.metric!r}, expected a {kind}")
        if indicator.type and _promql(indicator.type) != metric.name:
            raise CatalogError(f"indicators.{key}: {indicator.type} is not {metric.name}")


def _promql(metric_type: str) -> str:
    """Return the name PromQL has for a metric of Google's own.

    https://cloud.google.com/monitoring/promql/promql-mapping
    """
    service, _, path = metric_type.partition("/")
    return ":".join(re.sub(r"\W", "_", part) for part in (service, path))


_check_references()
