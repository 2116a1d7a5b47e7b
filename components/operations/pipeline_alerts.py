"""PipelineAlerts: tells somebody when messages wait at any sink, fail or are given up.

Owns the alert policies. Does not own the channels (NotificationChannels) nor the dashboard.
"""

from collections.abc import Mapping, Sequence

import pulumi

from catalog.metrics import QUERIES, Alert
from components.operations.alert_policies import (
    AlertTarget,
    Condition,
    alert_policies,
    alerts_of,
    check_thresholds,
    query_of,
    threshold_of,
)
from components.operations.watched_pipelines import (
    Pipelines,
    by_retention,
    pipeline_matchers,
)
from components.validation import Problems, component_type, register

_OF_RETENTION = "retention_percent"
_DAY_SECONDS = 86400


class PipelineAlertsArgs(AlertTarget):
    """Arguments of `PipelineAlerts`."""

    pipelines: Pipelines
    """The PubSubCloudRunPipelines, by name."""
    thresholds: Mapping[str, float]
    """By name, in the unit the name ends with: backlog_age_seconds, sinks_backlog_age_seconds,
    retention_percent (of the time messages wait in Pub/Sub), failed_deliveries_percent,
    dataflow_lag_seconds, dataflow_freshness_seconds, errors_percent, dead_letters (a number of
    messages)."""


def validate_pipeline_alerts(args: PipelineAlertsArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(PipelineAlertsArgs, args)
    check_thresholds(problems, alerts_of("serverless"), args["thresholds"])
    return problems


class PipelineAlerts(pulumi.ComponentResource):
    """An alert policy for each of the catalog's alerts on pipelines (`catalog/metrics.yaml`).

    Alerts on sinks that no pipeline has are left out.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/alerts/using-promql
    """

    policy_names: Mapping[str, pulumi.Output[str]]
    """By the catalog's name: `projects/<project>/alertPolicies/<number>`."""

    def __init__(
        self, name: str, args: PipelineAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(PipelineAlerts), name, {}, opts)
        validate_pipeline_alerts(args).raise_if_any(f"PipelineAlerts {name}")
        matchers = pipeline_matchers(args["pipelines"])
        self.policy_names = alert_policies(
            name,
            {
                key: alert
                for key, alert in alerts_of("serverless").items()
                if QUERIES[alert.query].is_about(matchers)
            },
            lambda alert: query_of(alert, _conditions(alert, args)),
            args,
            self,
        )
        register(self)


def _conditions(alert: Alert, args: PipelineAlertsArgs) -> Sequence[Condition]:
    """Return one condition, or one for all pipelines whose messages wait as long."""
    pipelines, threshold = args["pipelines"], threshold_of(alert, args["thresholds"])
    if alert.threshold != _OF_RETENTION:
        return [Condition(pipeline_matchers(pipelines), threshold)]
    return [
        Condition(pipeline_matchers(group), days * _DAY_SECONDS * threshold / 100)
        for days, group in by_retention(pipelines).items()
    ]
