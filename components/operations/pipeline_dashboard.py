"""PipelineDashboard: one look at every pipeline: its subscriptions, service and Dataflow job.

Owns the dashboard. Does not own the pipelines (PubSubCloudRunPipeline) nor the alerts.
"""

from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from components.operations.dashboard_layout import console_url, dashboard_json
from components.operations.watched_pipelines import (
    Pipelines,
    pipeline_matchers,
)
from components.validation import Problems, component_type, register


class PipelineDashboardArgs(TypedDict):
    """Arguments of `PipelineDashboard`."""

    project: pulumi.Input[str]
    """Project id."""
    pipelines: Pipelines
    """The PubSubCloudRunPipelines, by name."""


def validate_pipeline_dashboard(args: PipelineDashboardArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(PipelineDashboardArgs, args)


class PipelineDashboard(pulumi.ComponentResource):
    """A dashboard of Pub/Sub, dead letters, Dataflow and Cloud Run, a line for each subscription.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/dashboards/api-dashboard
    """

    url: pulumi.Output[str]
    """Address in the Google Cloud console."""

    def __init__(
        self, name: str, args: PipelineDashboardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(PipelineDashboard), name, {}, opts)
        validate_pipeline_dashboard(args).raise_if_any(f"PipelineDashboard {name}")
        matchers = pipeline_matchers(args["pipelines"])
        dashboard = gcp.monitoring.Dashboard(
            f"{name}-dashboard",
            project=args["project"],
            dashboard_json=dashboard_json("serverless", f"{name}: pipelines", matchers),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = console_url(dashboard.id, args["project"])
        register(self)
