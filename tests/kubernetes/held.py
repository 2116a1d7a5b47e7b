"""What a picker, a router and the pods of model servers meet in the API server."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from emulator.gateway.client import Client
from emulator.gateway.cluster import Cluster

KINDS = {
    *("Namespace", "CustomResourceDefinition", "ServiceAccount", "Role", "RoleBinding"),
    *("InferencePool", "InferenceObjective", "HorizontalPodAutoscaler"),
}


@contextmanager
def held(client: Client, cluster: Cluster) -> Generator[None]:
    """Keep it there, and delete it in the end."""
    with ExitStack() as kept:
        for manifest in cluster.manifests:
            if manifest["kind"] in KINDS:
                client.apply(manifest)
                kept.callback(client.delete, manifest)
        yield
