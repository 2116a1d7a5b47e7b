"""Starts and stops the providers on loopback ports."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.faults import Faults, Planned
from sandbox.providers.base import Provider, Wire
from sandbox.providers.gcp import GcpProvider
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.world import World

_THREADS: Final = 64
_MESSAGE_BYTES: Final = 400 * 1024 * 1024
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
]


class ServeError(Exception):
    """A provider cannot listen; `str()` names the address and what to do."""


class Servers:
    """Running providers. A context manager: leaving it stops them.

    `world` is what they serve, `faults` what befalls their calls. `debug_providers` is the value of
    `PULUMI_DEBUG_PROVIDERS` that makes an engine use them, such as `gcp:40001,kubernetes:40002`.
    """

    def __init__(
        self, world: World, ports: dict[str, int] | None, patience: float, faults: Faults
    ) -> None:
        wanted = ports or {}
        self.world = world
        self.faults = faults
        self._servers: list[grpc.Server] = []
        self._providers: dict[str, Provider[Any]] = {
            provider.package: provider
            for provider in (GcpProvider(world), KubernetesProvider(world, patience))
        }
        self.ports: dict[str, int] = {}
        try:
            for name, provider in self._providers.items():
                self.ports[name] = self._start(name, Wire(provider, faults), wanted.get(name, 0))
        except ServeError:
            self.stop()
            raise

    def _start(self, name: str, servicer: Wire, port: int) -> int:
        server = grpc.server(ThreadPoolExecutor(_THREADS, f"sandbox-{name}"), options=_OPTIONS)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        address = f"127.0.0.1:{port}"
        try:
            bound = server.add_insecure_port(address)
        except RuntimeError:
            bound = 0
        if not bound:
            raise ServeError(
                f"the {name} provider of the sandbox cannot listen on {address}: the port is "
                "taken or loopback is not available; choose another port or leave it out"
            )
        server.start()
        self._servers.append(server)
        return bound

    @property
    def debug_providers(self) -> str:
        """The value for `PULUMI_DEBUG_PROVIDERS`."""
        return ",".join(f"{name}:{port}" for name, port in self.ports.items())

    @property
    def has_lost(self) -> bool:
        """Whether the world holds what an interrupted run made and nobody asked for since."""
        return bool(self.world.lost)

    def forget_lost(self) -> list[str]:
        """Delete what an interrupted run made and no run since asked for; gives the ids."""
        gone = sorted(self.world.lost.values(), key=lambda resource: -resource.created)
        for resource in gone:
            self._providers[resource.type.split(":")[0]].forget(resource)
        self.world.lost.clear()
        return [resource.id for resource in gone]

    def stop(self) -> None:
        """Stop both providers; requests under way may finish. Harmless when stopped already."""
        for stopped in [server.stop(grace=1) for server in self._servers]:
            stopped.wait()
        self._servers.clear()

    def wait(self) -> None:
        """Block until the providers are stopped."""
        for server in list(self._servers):
            server.wait_for_termination()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(
    world: World,
    ports: dict[str, int] | None = None,
    *,
    patience: float = 10.0,
    faults: Collection[Planned] = (),
) -> Servers:
    """Serve the world on free loopback ports, or on the given ones (`{"gcp": 40001}`).

    `patience`: seconds of standstill after which a Kubernetes object that names a missing one is
    refused. `faults` befall the calls that they match. Raises `ServeError` when a port cannot be
    had.
    """
    return Servers(world, ports, patience, Faults(world, faults))
