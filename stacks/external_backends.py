"""External backends: a proxy in each region for what its models have answered elsewhere."""

from collections.abc import Sequence

import pulumi

from components.inference.external_backend import ExternalBackend
from components.inference.external_backend_arguments import (
    ExternalBackendArgs,
    HttpsServer,
    VertexAi,
)
from components.inference.model_routes import External
from config.platform import Platform
from stacks.arguments import to_args
from stacks.backends import backend_name
from stacks.clusters import RegionCluster
from stacks.foundation import Foundation


def build_external_backends(
    platform: Platform,
    foundation: Foundation,
    cluster: RegionCluster,
    security_policy: pulumi.Output[str] | None,
) -> Sequence[External]:
    """Make the region's proxies, and return what its gateway needs to know about them."""
    found: list[External] = []
    for model_name, model in platform.models_in(cluster.region).items():
        for backend in model.external:
            args: ExternalBackendArgs = {
                "project": foundation.services.project_for("aiplatform", "iam")
                if backend.vertex_ai
                else foundation.services.project_for("container"),
                "project_number": foundation.services.project_number,
                "workload_pool": cluster.gke.workload_pool,
                "namespace": cluster.namespaces[platform.namespace_of(model)],
                "image": cluster.images.reference(platform.image("envoy")),
                "request_timeout_seconds": platform.gateway.request_timeout_seconds,
            }
            if security_policy is not None:
                args["security_policy"] = security_policy
            if backend.vertex_ai is not None:
                args["vertex_ai"] = {
                    "region": cluster.region,
                    **to_args(VertexAi, backend.vertex_ai),
                }
            if backend.https is not None:
                args["https"] = to_args(HttpsServer, backend.https)
            name = backend_name(model_name, backend)
            made = ExternalBackend(f"{name}-{cluster.region}", args, cluster.options)
            found.append({"name": name, "service": made.service_name, "port": made.port})
    return found
