"""InferenceAlerts: tells somebody when models are slow, fail, queue up or are gone.

Owns the alert policies. Does not own the channels (NotificationChannels) nor the dashboard.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired

import pulumi

from catalog.limits import Choice, Entries
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
from components.operations.matchers import NAME, inference_matchers
from components.validation import Problems, component_type, register

AUTOSCALER_ALERTS = ("autoscaler_room",)


class InferenceAlertsArgs(AlertTarget):
    """Arguments of `InferenceAlerts`."""

    models: Annotated[Sequence[Annotated[str, NAME]], Entries("a name")]
    """Names of the models, as clients send them."""
    adapters: NotRequired[Sequence[Annotated[str, NAME]]]
    """Names of the adapters, as clients send them."""
    pools: Sequence[Annotated[str, NAME]]
    """Names of the InferencePools; none where all models are served outside the clusters."""
    namespaces: Annotated[Sequence[Annotated[str, NAME]], Entries("a name")]
    """Kubernetes namespaces of the models, the same in every cluster."""
    thresholds: Mapping[str, float]
    """By name, in the unit the name ends with: latency_p90_seconds, latency_p99_seconds,
    first_token_p90_seconds, errors_percent, gateway_errors_percent, queue_per_replica."""
    model_thresholds: NotRequired[Mapping[str, Mapping[str, float]]]
    """Other latency thresholds of single models, by model name."""
    autoscaled: NotRequired[bool]
    """Whether a model has an autoscaler, which may be at its maximum; default false."""


def validate_inference_alerts(args: InferenceAlertsArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(InferenceAlertsArgs, args)
    alerts = alerts_of("inference")
    check_thresholds(problems, alerts, args["thresholds"])
    by_model = Choice(sorted({each.threshold for each in alerts.values() if _is_by_model(each)}))
    for model, thresholds in args.get("model_thresholds", {}).items():
        problems.check_limit(Choice(sorted(args["models"])), model, "model_thresholds", model)
        for name in thresholds:
            problems.check_limit(by_model, name, "model_thresholds", model, name)
    return problems


def _is_by_model(alert: Alert) -> bool:
    return alert.threshold.endswith("_seconds")


class InferenceAlerts(pulumi.ComponentResource):
    """An alert policy for each of the catalog's alerts on models (`catalog/metrics.yaml`).

    Models with thresholds of their own are parts of the same condition, as a policy is billed by
    its conditions.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/alerts/using-promql
    """

    policy_names: Mapping[str, pulumi.Output[str]]
    """By the catalog's name: `projects/<project>/alertPolicies/<number>`."""

    def __init__(
        self, name: str, args: InferenceAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(InferenceAlerts), name, {}, opts)
        validate_inference_alerts(args).raise_if_any(f"InferenceAlerts {name}")
        left_out = () if args.get("autoscaled", False) else AUTOSCALER_ALERTS
        self.policy_names = alert_policies(
            name,
            alerts_of("inference", left_out),
            lambda alert: query_of(alert, _conditions(alert, args)),
            args,
            self,
        )
        register(self)


def _conditions(alert: Alert, args: InferenceAlertsArgs) -> Sequence[Condition]:
    """Return one condition for all models with the same threshold, in the order of the models."""
    default = threshold_of(alert, args["thresholds"])
    own = args.get("model_thresholds", {})
    groups: dict[float, list[str]] = {}
    for model in args["models"]:
        threshold = own.get(model, {}).get(alert.threshold, default)
        groups.setdefault(threshold, []).append(model)
    return [
        Condition(
            inference_matchers(models, args.get("adapters", ()), args["pools"], args["namespaces"]),
            threshold,
        )
        for threshold, models in groups.items()
    ]
