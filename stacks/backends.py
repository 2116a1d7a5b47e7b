"""What the gateway routes to: the pools and routes of the models, by their config."""

from collections.abc import Mapping

import pulumi

from catalog.conventions import PLATFORM
from components.inference.endpoint_picker import Scheduling
from components.inference.inference_pool import Pool
from components.inference.model_routes import Route
from components.inference.model_server import ModelServer
from components.names import dns_label
from config.external_backends import ExternalBackend
from config.models import Model, ReplicaSet
from stacks.arguments import to_args


def backend_name(model: str, backend: ReplicaSet | ExternalBackend) -> str:
    """Return the name of a backend within a region: of its pool, and first part of its server's."""
    return dns_label(f"{model}-{backend.name}")


def server_name(model: str, replica_set: ReplicaSet, region: str) -> str:
    """Return the name of the ModelServer of a replica set in a region, and of its objects."""
    return f"{backend_name(model, replica_set)}-{region}"


def pool_of(
    model: Model,
    replica_set: ReplicaSet,
    name: str,
    servers: Mapping[str, ModelServer],
    namespace: pulumi.Output[str],
) -> Pool:
    """Return the pool of a replica set, whose server has the same name and `namespace`."""
    server = servers[name]
    pool: Pool = {
        "name": name,
        "namespace": namespace,
        "selector": server.pod_labels,
        "target_port": server.port,
        "models": server.model_names,
        "lora": len(server.model_names) > 1,
        "objectives": model.objectives,
        "flow_control": model.flow_control,
        "goes_to_zero": replica_set.goes_to_zero,
    }
    if model.picker is not None:
        pool["scheduling"] = to_args(Scheduling, model.picker)
    return pool


def route_of(name: str, model: Model, namespace: str) -> Route:
    """Return the route of a model and its adapters, in the `namespace` of the model."""
    route: Route = {
        "models": [name, *(adapter.name for adapter in model.adapters)],
        "backends": [
            {"pool": backend_name(name, backend), "weight": backend.weight}
            for backend in model.backends
        ],
    }
    if namespace != PLATFORM:
        route["namespace"] = namespace
    return route
