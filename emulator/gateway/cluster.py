"""The objects of one cluster of a stack, and the API server that holds them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.gateway.client import Client, Manifest
from emulator.gateway.definitions import installed
from emulator.gateway.wire import on_the_wire

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
"""No object of Kubernetes: Helm applies what its chart makes."""


@dataclass(frozen=True)
class Cluster:
    """What a stack puts into one cluster, dependencies first."""

    name: str
    manifests: tuple[Manifest, ...]

    def of(self, kind: str) -> Iterator[Manifest]:
        """Return the objects of a kind."""
        return (each for each in self.manifests if each["kind"] == kind)

    def one(self, kind: str, name: str) -> Manifest:
        """Return an object. Raises LookupError if there is none of that name."""
        for each in self.of(kind):
            if each["metadata"]["name"] == name:
                return each
        raise LookupError(f"{self.name} has no {kind} {name}")

    def apply(self, client: Client) -> None:
        """Give all of it to an API server that has what GKE puts into a cluster."""
        for each in (*installed(), *self.manifests):
            client.apply(each)


def clusters(resources: Iterable[Mapping[str, Any]]) -> list[Cluster]:
    """Return the clusters of recorded resources, in the order of their names."""
    found: dict[str, list[Manifest]] = {}
    for each in resources:
        if each["type"].startswith("kubernetes:") and each["type"] != RELEASE:
            found.setdefault(each["provider"], []).append(on_the_wire(each["inputs"]))
    # Which the engine made first is another one each time.
    named = ((provider.split("::")[-2], manifests) for provider, manifests in found.items())
    return [Cluster(name, tuple(manifests)) for name, manifests in sorted(named)]
