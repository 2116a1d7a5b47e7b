"""VertexAlerts: tells somebody when models on Vertex AI fail or have no replica.

Owns the alert policies. Does not own the channels (NotificationChannels) nor the dashboard.
"""

from collections.abc import Mapping
from typing import Annotated

import pulumi

from catalog.limits import Entries
from catalog.metrics import Alert
from components.operations.alert_policies import (
    AlertTarget,
    Condition,
    alert_policies,
    alerts_of,
    check_thresholds,
    query_of,
    threshold_of,
)
from components.operations.matchers import endpoint_matchers
from components.validation import Problems, component_type, register


class VertexAlertsArgs(AlertTarget):
    """Arguments of `VertexAlerts`."""

    endpoint_ids: Annotated[Mapping[str, pulumi.Input[str]], Entries("the number of an endpoint")]
    """Numbers of the endpoints, by any short name."""
    thresholds: Mapping[str, float]
    """By name, in the unit the name ends with: errors_percent."""


def validate_vertex_alerts(args: VertexAlertsArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(VertexAlertsArgs, args)
    check_thresholds(problems, alerts_of("vertex"), args["thresholds"])
    return problems


class VertexAlerts(pulumi.ComponentResource):
    """An alert policy for each of the catalog's alerts on endpoints (`catalog/metrics.yaml`).

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/alerts/using-promql
    """

    policy_names: Mapping[str, pulumi.Output[str]]
    """By the catalog's name: `projects/<project>/alertPolicies/<number>`."""

    def __init__(
        self, name: str, args: VertexAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VertexAlerts), name, {}, opts)
        validate_vertex_alerts(args).raise_if_any(f"VertexAlerts {name}")
        self.policy_names = alert_policies(
            name,
            alerts_of("vertex"),
            lambda alert: _query(alert, args),
            args,
            self,
        )
        register(self)


def _query(alert: Alert, args: VertexAlertsArgs) -> pulumi.Output[str]:
    threshold = threshold_of(alert, args["thresholds"])
    return pulumi.Output.all(*args["endpoint_ids"].values()).apply(
        lambda ids: query_of(alert, [Condition(endpoint_matchers(ids), threshold)])
    )
