"""InferenceDashboard: one look at every model, from the load balancer to the GPUs.

Owns the dashboard. Does not own the scraping (PodMonitoring of each workload) nor the alerts.
"""

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from components.operations.dashboard_layout import console_url, dashboard_json
from components.operations.matchers import NAME, inference_matchers
from components.validation import Problems, component_type, register


class InferenceDashboardArgs(TypedDict):
    """Arguments of `InferenceDashboard`."""

    project: pulumi.Input[str]
    """Project id."""
    models: Annotated[Sequence[Annotated[str, NAME]], Entries("a name")]
    """Names of the models, as clients send them."""
    adapters: NotRequired[Sequence[Annotated[str, NAME]]]
    """Names of the adapters, as clients send them."""
    pools: Sequence[Annotated[str, NAME]]
    """Names of the InferencePools; none where all models are served outside the clusters."""
    namespaces: Annotated[Sequence[Annotated[str, NAME]], Entries("a name")]
    """Kubernetes namespaces of the models, the same in every cluster."""


def validate_inference_dashboard(args: InferenceDashboardArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(InferenceDashboardArgs, args)


class InferenceDashboard(pulumi.ComponentResource):
    """A dashboard of traffic, latency, errors, saturation, tokens, GPUs and the load balancer.

    Charts and queries are the catalog's (`catalog/metrics.yaml`), a line for each model and region.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/dashboards/api-dashboard
    """

    url: pulumi.Output[str]
    """Address in the Google Cloud console."""

    def __init__(
        self, name: str, args: InferenceDashboardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(InferenceDashboard), name, {}, opts)
        validate_inference_dashboard(args).raise_if_any(f"InferenceDashboard {name}")
        matchers = inference_matchers(
            args["models"], args.get("adapters", ()), args["pools"], args["namespaces"]
        )
        dashboard = gcp.monitoring.Dashboard(
            f"{name}-dashboard",
            project=args["project"],
            dashboard_json=dashboard_json("inference", f"{name}: models", matchers),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = console_url(dashboard.id, args["project"])
        register(self)
