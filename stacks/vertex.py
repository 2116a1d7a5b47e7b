"""Vertex AI: the endpoints and indexes of the config, each with an address in the platform's
network."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.conventions import PLATFORM
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.vertex.vector_index import VectorIndex, VectorIndexArgs
from components.vertex.vertex_connection import VertexConnection
from components.vertex.vertex_endpoint import VertexEndpoint, VertexEndpointArgs
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation
from stacks.principals import members


@dataclass(frozen=True)
class Vertex:
    """What was made, by name."""

    endpoints: Mapping[str, VertexEndpoint]
    indexes: Mapping[str, VectorIndex]


def build_vertex(
    platform: Platform, foundation: Foundation, pipelines: Mapping[str, PubSubCloudRunPipeline]
) -> Vertex:
    """Connect the regions that have endpoints or indexes, and make these; pipelines may be named as
    writers."""
    services, vpc = foundation.services, foundation.vpc
    used = (*platform.vertex.values(), *platform.vector_indexes.values())
    connections = {
        region: VertexConnection(
            f"{PLATFORM}-{region}",
            {
                "project": platform.host_project
                or services.project_for("networkconnectivity", "compute"),
                "region": region,
                "network": vpc.network_id,
                "subnetwork": foundation.node_subnetwork_ids[region],
            },
            foundation.google,
        )
        for region in sorted({each.region for each in used})
    }
    endpoints = {
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
    indexes = {
        name: VectorIndex(
            name,
            to_args(
                VectorIndexArgs,
                index,
                project=services.project_for("aiplatform", "iam"),
                network=connections[index.region].network_id,
                writers=members(index.writers, pipelines),
            ),
            foundation.google,
        )
        for name, index in platform.vector_indexes.items()
    }
    return Vertex(endpoints, indexes)
