"""PipelineAlerts: tells somebody when messages wait, fail or are given up.

Owns the alert policies. Does not own the channels (NotificationChannels) nor the dashboard.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi

from components.operations.alert_policies import (
    Condition,
    alert_policies,
    alerts_of,
    check_thresholds,
    query_of,
    threshold_of,
)
from components.operations.matchers import check_names, pipeline_matchers
from components.validation import Problems, component_type


class PipelineAlertsArgs(TypedDict):
    """Arguments of `PipelineAlerts`."""

    project: pulumi.Input[str]
    """Project id."""
    pipelines: Sequence[str]
    """Names of the PubSubCloudRunPipelines."""
    thresholds: Mapping[str, float]
    """By name, in the unit the name ends with: backlog_age_seconds, errors_percent, dead_letters
    (a number of messages)."""
    channels: Sequence[pulumi.Input[str]]
    """Full names of the notification channels."""
    dashboard_url: pulumi.Input[str]
    """Where a notification leads to."""


def validate_pipeline_alerts(args: PipelineAlertsArgs) -> Problems:
    """Checks the plain values of the arguments."""
    problems = Problems()
    problems.check_not_empty("channels", args["channels"], "a notification channel")
    problems.check_not_empty("pipelines", args["pipelines"], "the name of a pipeline")
    check_names(problems, "pipelines", args["pipelines"])
    check_thresholds(problems, alerts_of("serverless"), args["thresholds"])
    return problems


class PipelineAlerts(pulumi.ComponentResource):
    """An alert policy for each of the catalog's alerts on pipelines (`catalog/metrics.yaml`).

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
            alerts_of("serverless"),
            lambda alert: query_of(
                alert, [Condition(matchers, threshold_of(alert, args["thresholds"]))]
            ),
            args,
            self,
        )
        self.register_outputs({"policy_names": self.policy_names})
