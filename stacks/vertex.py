"""Vertex AI: the endpoints of the config, each with an address in the platform's network."""

from collections.abc import Mapping

from catalog.conventions import PLATFORM
from components.vertex.vertex_connection import VertexConnection
from components.vertex.vertex_endpoint import VertexEndpoint, VertexEndpointArgs
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation


def build_vertex(platform: Platform, foundation: Foundation) -> Mapping[str, VertexEndpoint]:
    """Connect the regions that have endpoints, and make these."""
    services, vpc = foundation.services, foundation.vpc
    connections = {
        region: VertexConnection(
            f"{PLATFORM}-{region}",
            {
                "project": services.project_for("networkconnectivity", "compute"),
                "region": region,
                "network": vpc.network_id,
                "subnetwork": vpc.node_subnetwork_ids[region],
            },
            foundation.google,
        )
        for region in sorted({endpoint.region for endpoint in platform.vertex.values()})
    }
    return {
        name: VertexEndpoint(
            name,
            to_args(
                VertexEndpointArgs,
                endpoint,
                project=services.project_for("aiplatform"),
                network=connections[endpoint.region].network_id,
            ),
            foundation.google,
        )
        for name, endpoint in platform.vertex.items()
    }
