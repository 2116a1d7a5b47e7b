"""The request path of one cluster of a stack, running until its context ends."""

import json
import shutil
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emulator.gateway import autoscaling, workloads
from emulator.gateway.api_management import ApiManagement
from emulator.gateway.autoscaling import autoscaled
from emulator.gateway.certificates import Certificate, certificate
from emulator.gateway.client import Client
from emulator.gateway.cluster import Cluster
from emulator.gateway.control_plane import API_SERVER, ETCD, control_plane
from emulator.gateway.envoy import configuration
from emulator.gateway.model_servers import ModelServers, Replica, model_servers
from emulator.gateway.outside import Outside, models_of, outside
from emulator.gateway.processors import Served, processors
from emulator.gateway.programs import LOOPBACK, Program, free_ports
from emulator.gateway.proxies import listener, start_proxy
from emulator.gateway.replicas import apply_pod, delete_pod, replicas
from emulator.gateway.stand_ins import stand_ins
from emulator.gateway.workloads import PROGRAMS, Workload
from sandbox.world import World

_PROGRAMS: Final = (API_SERVER, ETCD, *PROGRAMS.values())
_TOOLS: Final = ("go", "openssl")

Tune = Callable[[Replica], None]


class PortError(OSError):
    """The port that was asked for can't be had."""


@dataclass(frozen=True)
class Gateway:
    """A running request path."""

    url: str
    """Base URL of its OpenAI API."""
    certificate: Certificate
    replicas: dict[str, Replica]
    """By pod; an autoscaler adds some and takes them away."""
    servers: ModelServers
    client: Client
    """Of the API server that has its objects."""
    workloads: Mapping[str, Workload]
    """Pickers, router and proxies, by Deployment."""
    extensions: Mapping[str, Served]
    """What stands in for the services of the traffic extension, by their names."""
    outside: Mapping[str, Outside]
    """What the proxies of models outside the cluster reach, by Deployment."""
    access_log: Path
    """A line of JSON for each request, as `envoy.LOG_FORMAT` has it."""
    programs: list[Program]

    @property
    def models(self) -> list[str]:
        """The names that requests may have."""
        servers = (*self.replicas.values(), *(each.replica for each in self.outside.values()))
        return sorted({name for each in servers for name in each.names})

    @property
    def places(self) -> Mapping[str, str]:
        """The pod, or proxy, at each address that a request may end at."""
        return {f"{each.address}:{each.port}": each.pod for each in self.replicas.values()} | {
            f"{LOOPBACK}:{port}": name
            for name in self.outside
            for port in self.workloads[name].ports.values()
        }

    def keys(self) -> Mapping[str, str]:
        """Return the key of each consumer; empty where nothing asks for one."""
        return {
            consumer.name: key
            for each in self.extensions.values()
            if isinstance(each.processor, ApiManagement)
            for key, consumer in each.processor.consumers.items()
        }

    def check(self) -> None:
        """Raise ProgramError if a program has ended."""
        for each in self.programs:
            each.check()


def missing() -> list[str]:
    """Return the programs that it needs and that aren't there."""
    return [each.name for each in _PROGRAMS if not each.exists()] + [
        name for name in _TOOLS if shutil.which(name) is None
    ]


@contextmanager
def serve(
    cluster: Cluster, cloud: World, folder: Path, port: int = 0, tune: Tune = lambda _: None
) -> Generator[Gateway]:
    """Run the path and an API server of its own in an empty folder, at a free port where none is
    given, with replicas that were tuned before.

    Raises PortError before anything is started if the port is taken.
    """
    if port:
        refuse_taken(port)
    with ExitStack() as running:
        own = folder / "control-plane"
        own.mkdir()
        client = running.enter_context(control_plane(own))
        cluster.apply(client)
        gateway = running.enter_context(path(cluster, client, cloud, folder, port, tune))
        if autoscaling.CONTROLLER.exists():
            controller = running.enter_context(
                autoscaled(cluster, client, gateway.servers, gateway.replicas, own)
            )
            gateway.programs.extend([controller] if controller else [])
        yield gateway


@contextmanager
def path(
    cluster: Cluster,
    client: Client,
    cloud: World,
    folder: Path,
    port: int = 0,
    tune: Tune = lambda _: None,
) -> Generator[Gateway]:
    """Run the path of a cluster whose objects an API server has, and what they name a cloud.

    Raises ProgramError with the end of a program's log if it doesn't become ready, and OSError if
    an address is taken.
    """
    with ExitStack() as running:
        servers = replicas(cluster)
        for each in servers:
            tune(each)
        serving = running.enter_context(model_servers(servers))
        by_pod = {each.pod: each for each in servers}
        running.callback(_delete_pods, client, cluster, by_pod)
        for each in servers:
            apply_pod(client, cluster, each)
        beyond = dict(_outside(running, cluster, folder))
        started = {
            name: workloads.start(
                running, client, cluster, deployment, folder / name, _change(beyond.get(name))
            )
            for deployment in cluster.of("Deployment")
            for name in (deployment["metadata"]["name"],)
            if workloads.program_of(deployment) is not None
        }
        for workload in started.values():
            workload.wait()
        found = list(stand_ins(cluster, cloud))
        extensions = running.enter_context(processors([processor for _, processor in found]))
        served = list(zip((extension for extension, _ in found), extensions, strict=True))
        port = port or free_ports(1)[0]
        access_log = folder / "requests.jsonl"
        made = certificate(cluster, cloud, folder)
        manager, reached = configuration(cluster, started, served, made)
        listening = listener("gateway", port, made, manager, access_log)
        envoy = start_proxy(running, folder / "envoy.log", listening, reached)
        yield Gateway(
            f"https://{LOOPBACK}:{port}/v1",
            made,
            by_pod,
            serving,
            client,
            started,
            {extension["name"]: each for extension, each in served},
            beyond,
            access_log,
            [envoy, *(each.program for each in started.values())],
        )


def _outside(running: ExitStack, cluster: Cluster, folder: Path) -> Iterator[tuple[str, Outside]]:
    """Serve what each proxy of a model outside reaches; yields them by Deployment."""
    for deployment in cluster.of("Deployment"):
        if workloads.program_of(deployment) == PROGRAMS["envoy"]:
            name, models = deployment["metadata"]["name"], models_of(cluster, deployment)
            (document,) = workloads.files(cluster, deployment)
            yield name, running.enter_context(outside(document, name, models, folder))


def _change(reached: Outside | None) -> workloads.Change:
    if reached is None:
        return lambda text, _: text
    return lambda text, ports: json.dumps(reached.moved(text, ports))


def _delete_pods(client: Client, cluster: Cluster, found: Mapping[str, Replica]) -> None:
    for each in found.values():
        delete_pod(client, cluster, each)


def refuse_taken(port: int) -> None:
    """Raise PortError if somebody listens on a port."""
    with closing(socket.socket()) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((LOOPBACK, port))
        except OSError as problem:
            raise PortError(
                f"PORT: found {port}, which can't be had ({problem.strerror}); allowed: one "
                "that nobody listens on; end what does, or leave it out for a free one"
            ) from problem
