"""VectorIndex: finds the vectors nearest to one, for retrieval, at an address in the network.

Owns the index, its endpoint and deployment, and who may fill it. Does not own what makes vectors of
texts, nor the connection of the network (VertexConnection).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import vector_index as limits
from catalog.problems import in_order
from components.names import dns_label
from components.ready import after
from components.validation import Problems, component_type, register

_FILLS = ("aiplatform.indexes.get", "aiplatform.indexes.update")


class VectorIndexArgs(TypedDict):
    """Arguments of VectorIndex."""

    project: pulumi.Input[str]
    """Id of the project, Vertex AI enabled."""
    region: str
    """Region of the index."""
    network: pulumi.Input[str]
    """Id of the network that reaches it; takes VertexConnection's, to wait for that."""
    dimensions: Annotated[int, limits.DIMENSIONS]
    """Numbers in a vector."""
    distance: NotRequired[Annotated[str, limits.DISTANCE]]
    """How far vectors are from each other."""
    neighbors: NotRequired[Annotated[int, limits.NEIGHBORS]]
    """Vectors that are looked at more closely before the nearest are told."""
    shard_size: NotRequired[Annotated[str, limits.SHARD_SIZE]]
    """How much of the index a machine holds: about 2, 20 or 50 GiB."""
    min_replicas: NotRequired[Annotated[int, limits.MIN_REPLICAS]]
    """Machines of each shard that always run."""
    max_replicas: NotRequired[Annotated[int, limits.MAX_REPLICAS]]
    """Machines of each shard at most."""
    writers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who may add and remove vectors, by any short name; in every index of the project, as Vertex
    AI grants none alone."""


def validate_vector_index(name: str, args: VectorIndexArgs) -> Problems:
    """Check the plain values of the arguments, and that the name is allowed."""
    problems = Problems.of(VectorIndexArgs, args)
    problems.check_limit(limits.NAME, name, "name")
    problems.extend(
        in_order(
            min_replicas=args.get("min_replicas", limits.MIN_REPLICAS.default),
            max_replicas=args.get("max_replicas", limits.MAX_REPLICAS.default),
        )
    )
    return problems


class VectorIndex(pulumi.ComponentResource):
    """An index that is filled by requests and asked by Private Service Connect alone.

    Whoever reaches the address may ask: only the project's own network is let in. Another size,
    dimension or distance makes a new index, which is empty.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vertex-ai/docs/vector-search/overview
    https://cloud.google.com/vertex-ai/docs/vector-search/private-service-connect
    """

    index_id: pulumi.Output[str]
    """Full name of the index; waits for those who may fill it."""
    endpoint_id: pulumi.Output[str]
    """Full name of the endpoint; waits for the deployment."""
    address: pulumi.Output[str]
    """IPv4 address in the network; empty until Vertex AI tells it."""

    def __init__(
        self, name: str, args: VectorIndexArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VectorIndex), name, {}, opts)
        validate_vector_index(name, args).raise_if_any(f"VectorIndex {name}")
        child = pulumi.ResourceOptions(parent=self)
        size = args.get("shard_size", limits.SHARD_SIZE.default)
        distance = args.get("distance", limits.DISTANCE.default)
        index = gcp.vertex.AiIndex(
            f"{name}-index",
            project=args["project"],
            region=args["region"],
            display_name=name,
            index_update_method="STREAM_UPDATE",
            metadata={
                "config": {
                    "dimensions": args["dimensions"],
                    "distance_measure_type": f"{distance.replace('-', '_')}_distance".upper(),
                    "approximate_neighbors_count": args.get("neighbors", limits.NEIGHBORS.default),
                    "shard_size": f"shard_size_{size}".upper(),
                    "algorithm_config": {"tree_ah_config": {}},
                }
            },
            opts=child,
        )
        endpoint = gcp.vertex.AiIndexEndpoint(
            f"{name}-endpoint",
            project=args["project"],
            region=args["region"],
            display_name=name,
            private_service_connect_config={
                "enable_private_service_connect": True,
                "project_allowlists": [args["project"]],
                "psc_automation_configs": [
                    {"project_id": args["project"], "network": args["network"]}
                ],
            },
            opts=child,
        )
        deployed = gcp.vertex.AiIndexEndpointDeployedIndex(
            f"{name}-deployed",
            region=args["region"],
            deployed_index_id=name.replace("-", "_"),
            display_name=name,
            index=index.id,
            index_endpoint=endpoint.id,
            dedicated_resources={
                "machine_spec": {"machine_type": limits.SHARD_MACHINES[size]},
                "min_replica_count": args.get("min_replicas", limits.MIN_REPLICAS.default),
                "max_replica_count": args.get("max_replicas", limits.MAX_REPLICAS.default),
            },
            opts=child,
        )
        self.index_id = after(index.id, *self._writers(name, args, child))
        self.endpoint_id = after(endpoint.id, deployed.id)
        self.address = deployed.private_endpoints.apply(_address)
        register(self)

    def _writers(
        self, name: str, args: VectorIndexArgs, child: pulumi.ResourceOptions
    ) -> list[pulumi.Output[str]]:
        writers = args.get("writers", {})
        if not writers:
            return []
        role = gcp.projects.IAMCustomRole(
            f"{name}-fills",
            project=args["project"],
            role_id=dns_label(f"{name}-fills").replace("-", "_"),
            title=f"Fill the index {name}",
            permissions=list(_FILLS),
            opts=child,
        )
        return [
            gcp.projects.IAMMember(
                f"{name}-fills-{who}",
                project=args["project"],
                role=role.id,
                member=member,
                opts=child,
            ).id
            for who, member in writers.items()
        ]


def _address(
    endpoints: Sequence[gcp.vertex.outputs.AiIndexEndpointDeployedIndexPrivateEndpoint] | None,
) -> str:
    automated = [one for each in endpoints or () for one in each.psc_automated_endpoints or ()]
    return (automated[0].match_address if automated else None) or ""
