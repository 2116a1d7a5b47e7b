"""VertexConnection: where in a network Vertex AI may put the private addresses of its endpoints.

Owns the region's service connection policy. Does not own the endpoints (VertexEndpoint).
"""

from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from components.ready import after
from components.validation import Problems, component_type, register


class VertexConnectionArgs(TypedDict):
    """Arguments of VertexConnection."""

    project: pulumi.Input[str]
    """Id of the project, Network Connectivity enabled."""
    region: str
    """Region of the endpoints."""
    network: pulumi.Input[str]
    """Id of the network."""
    subnetwork: pulumi.Input[str]
    """Id of the region's subnetwork the addresses are taken from."""


def validate_vertex_connection(name: str) -> Problems:
    """Check that the names made from the component's are allowed."""
    problems = Problems()
    problems.check_name(f"{name}-vertex-ai", "name")
    return problems


class VertexConnection(pulumi.ComponentResource):
    """Lets Vertex AI make Private Service Connect endpoints. One for each network and region.

    Raises `pulumi.InputPropertiesError` for a wrong name.
    https://cloud.google.com/vpc/docs/configure-service-connection-policies
    """

    network_id: pulumi.Output[str]
    """The network, once endpoints can be made in it."""

    def __init__(
        self, name: str, args: VertexConnectionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VertexConnection), name, {}, opts)
        validate_vertex_connection(name).raise_if_any(f"VertexConnection {name}")
        policy = gcp.networkconnectivity.ServiceConnectionPolicy(
            f"{name}-policy",
            name=f"{name}-vertex-ai",
            project=args["project"],
            location=args["region"],
            service_class="gcp-vertexai",
            network=args["network"],
            psc_config={"subnetworks": [args["subnetwork"]]},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.network_id = after(args["network"], policy.id)
        register(self)
