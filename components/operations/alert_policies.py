"""Alert policies of the catalog's alerts: one PromQL condition each, as the API demands.

https://cloud.google.com/monitoring/alerts/using-promql
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.metrics import ALERTS, QUERIES, Alert
from components.validation import Problems

_AUTO_CLOSE = "3600s"
_EVALUATION = "60s"


@dataclass(frozen=True)
class Condition:
    """A part of an alert's condition: what it is about, and from which value on it fires."""

    matchers: Mapping[str, str]
    threshold: float


class AlertTarget(TypedDict):
    """Where alerts are made and whom they tell: what every component with alerts is given."""

    project: pulumi.Input[str]
    """Project id."""
    channels: Annotated[Sequence[pulumi.Input[str]], Entries("a notification channel")]
    """Full names of the notification channels."""
    dashboard_url: pulumi.Input[str]
    """Where a notification leads to."""


def alerts_of(dashboard: str, leave_out: Collection[str] = ()) -> Mapping[str, Alert]:
    """Return the catalog's alerts on what a dashboard shows, by name."""
    return {
        name: alert
        for name, alert in ALERTS.items()
        if alert.dashboard == dashboard and name not in leave_out
    }


def threshold_of(alert: Alert, thresholds: Mapping[str, float]) -> float:
    """Return an alert's threshold: the fixed one, or that of `thresholds`."""
    return float(alert.threshold if alert.threshold.isdecimal() else thresholds[alert.threshold])


def thresholds_of(alerts: Mapping[str, Alert]) -> frozenset[str]:
    """Return the names of the thresholds that the alerts need."""
    return frozenset(each.threshold for each in alerts.values() if not each.threshold.isdecimal())


def check_thresholds(
    problems: Problems, alerts: Mapping[str, Alert], thresholds: Mapping[str, float]
) -> None:
    """Note thresholds that are missing or unknown."""
    wanted = thresholds_of(alerts)
    for name in sorted(wanted - thresholds.keys()):
        problems.add(f"thresholds.{name}", "found none; allowed: a number; give it")
    for name in sorted(thresholds.keys() - wanted):
        problems.add(
            f"thresholds.{name}",
            f"found {name!r}; allowed: {', '.join(sorted(wanted))}; remove it",
        )


def query_of(alert: Alert, conditions: Sequence[Condition]) -> str:
    """Return the PromQL that has a result while any of the conditions holds."""
    query = QUERIES[alert.query]
    return " or ".join(
        f"({query.text(each.matchers)}) {alert.comparison} {each.threshold:g}"
        for each in conditions
    )


def alert_policies(
    name: str,
    alerts: Mapping[str, Alert],
    query: Callable[[Alert], pulumi.Input[str]],
    target: AlertTarget,
    parent: pulumi.Resource,
) -> Mapping[str, pulumi.Output[str]]:
    """Make a policy for each alert, named after `name`; gives the policies' full names.

    `query` gives the PromQL that has a result while an alert's condition holds.
    """
    return {
        key: _policy(
            f"{name}-{key.replace('_', '-')}", name, alert, query(alert), target, parent
        ).name
        for key, alert in alerts.items()
    }


def _policy(
    resource_name: str,
    title: str,
    alert: Alert,
    query: pulumi.Input[str],
    target: AlertTarget,
    parent: pulumi.Resource,
) -> gcp.monitoring.AlertPolicy:
    return alert_policy(
        resource_name,
        f"{title}: {alert.title}",
        alert.severity,
        [
            {
                "display_name": alert.title,
                "condition_prometheus_query_language": {
                    "query": query,
                    "duration": f"{alert.minutes * 60}s",
                    "evaluation_interval": _EVALUATION,
                    # Before the first request the metrics don't exist.
                    "disable_metric_validation": True,
                },
            }
        ],
        pulumi.Output.concat(
            f"{alert.runbook}\n\nFires after {alert.minutes} minutes of `", query, "`"
        ),
        target,
        parent,
    )


def alert_policy(
    resource_name: str,
    title: str,
    severity: str,
    conditions: Sequence[gcp.monitoring.AlertPolicyConditionArgsDict],
    runbook: pulumi.Input[str],
    target: AlertTarget,
    parent: pulumi.Resource,
) -> gcp.monitoring.AlertPolicy:
    """Make a policy that tells the target once all of its conditions hold."""
    return gcp.monitoring.AlertPolicy(
        resource_name,
        project=target["project"],
        display_name=title,
        combiner="OR" if len(conditions) == 1 else "AND",
        severity=severity,
        conditions=list(conditions),
        documentation={
            "subject": title,
            "content": runbook,
            "mime_type": "text/markdown",
            "links": [{"display_name": "Dashboard", "url": target["dashboard_url"]}],
        },
        alert_strategy={"auto_close": _AUTO_CLOSE},
        notification_channels=list(target["channels"]),
        opts=pulumi.ResourceOptions(parent=parent),
    )
