"""What stands in, on this machine, for the services of a Gateway's traffic extension."""

from collections.abc import Iterator
from typing import Final

from emulator.gateway.api_management import ApiManagement
from emulator.gateway.client import Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.model_armor import ModelArmor
from emulator.gateway.processors import Processor
from sandbox.world import World

_MODEL_ARMOR: Final = "modelarmor."
_APIGEE: Final = "ApigeeBackendService"


def extensions_of(cluster: Cluster) -> list[Manifest]:
    """Return the services of the chain that every request runs through, first to last."""
    (gateway,) = cluster.of("Gateway")
    for each in cluster.of("GCPTrafficExtension"):
        if gateway["metadata"]["name"] in {ref["name"] for ref in each["spec"]["targetRefs"]}:
            return each["spec"]["extensionChains"][0]["extensions"]
    return []


def stand_ins(cluster: Cluster, cloud: World) -> Iterator[tuple[Manifest, Processor]]:
    """Yield each service that something stands in for, with what does."""
    for extension in extensions_of(cluster):
        if extension.get("googleAPIServiceName", "").startswith(_MODEL_ARMOR):
            yield extension, ModelArmor(extension["metadata"], cloud)
        elif extension.get("backendRef", {}).get("kind") == _APIGEE:
            yield extension, ApiManagement(cloud)
