"""Objects that others made: checked as an API server does, and put into a cluster."""

from collections.abc import Iterator

from sandbox.check import Checker, Failure
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import Kind, metadata_of, object_id
from sandbox.kubernetes.outputs import outputs_of
from sandbox.names import kubernetes_names
from sandbox.sdk_types import ResourceType
from sandbox.values import Values
from sandbox.world import EXISTING, CloudResource, World


def object_failures(kind: ResourceType, inputs: Values) -> Iterator[Failure]:
    """Yield what is wrong with the inputs of a built-in object; it says its name."""
    wrong = Checker(kind.token, lenient=False).check(inputs, kind.inputs)
    yield from wrong
    if not metadata_of(inputs).get("name") and not wrong:
        yield Failure("metadata.name", f"missing: it is the id of a {kind.token}")
    yield from kubernetes_names(Kind(kind.token), inputs)


def put_object(world: World, cluster: Cluster, kind: Kind, inputs: Values) -> None:
    """Put an object into a cluster, unless it is there; its namespace needn't be."""
    metadata = metadata_of(inputs)
    id_ = object_id(str(metadata.get("namespace", "")), str(metadata["name"]))
    if world.get(kind.token, id_, cluster.id) is None:
        world.put(
            CloudResource(
                *(kind.token, id_, cluster.id, cluster.project),
                owner=EXISTING,
                inputs=inputs,
                outputs=outputs_of(cluster, kind, id_, inputs, None),
            )
        )
