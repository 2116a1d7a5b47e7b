"""VertexDashboard: one look at every endpoint of Vertex AI: responses, times, replicas and GPUs.

Owns the dashboard. Does not own the endpoints (VertexEndpoint) nor the alerts.
"""

from collections.abc import Mapping
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from components.operations.dashboard_layout import console_url, dashboard_json
from components.operations.matchers import endpoint_matchers
from components.validation import Problems, component_type, register


class VertexDashboardArgs(TypedDict):
    """Arguments of `VertexDashboard`."""

    project: pulumi.Input[str]
    """Project id."""
    endpoint_ids: Annotated[Mapping[str, pulumi.Input[str]], Entries("the number of an endpoint")]
    """Numbers of the endpoints, by any short name."""


def validate_vertex_dashboard(args: VertexDashboardArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(VertexDashboardArgs, args)


class VertexDashboard(pulumi.ComponentResource):
    """A dashboard with a line for each endpoint.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/monitoring/dashboards/api-dashboard
    """

    url: pulumi.Output[str]
    """Address in the Google Cloud console."""

    def __init__(
        self, name: str, args: VertexDashboardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VertexDashboard), name, {}, opts)
        validate_vertex_dashboard(args).raise_if_any(f"VertexDashboard {name}")
        dashboard = gcp.monitoring.Dashboard(
            f"{name}-dashboard",
            project=args["project"],
            dashboard_json=pulumi.Output.all(*args["endpoint_ids"].values()).apply(
                lambda ids: dashboard_json("vertex", f"{name}: Vertex AI", endpoint_matchers(ids))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = console_url(dashboard.id, args["project"])
        register(self)
