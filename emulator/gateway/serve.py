"""The request path of one cluster of a stack, running until its context ends."""

import itertools
import json
import shutil
import socket
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from emulator.gateway import autoscaling, envoy, workloads
from emulator.gateway.api_management import ApiManagement
from emulator.gateway.autoscaling import autoscaled
from emulator.gateway.certificates import Certificate, certificate
from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.control_plane import API_SERVER, ETCD, control_plane
from emulator.gateway.model_servers import ModelServers, Replica, model_servers
from emulator.gateway.outside import Outside, models_of, outside
from emulator.gateway.processors import Served, processors
from emulator.gateway.programs import LOOPBACK, Program
from emulator.gateway.proxies import ACCESS_LOG, Proxy, listener, start_proxy
from emulator.gateway.replicas import apply_pod, delete_pod, replicas
from emulator.gateway.stand_ins import stand_ins
from emulator.gateway.workloads import PROGRAMS, Workload
from emulator.ports import free_ports
from sandbox.world import World

_PROGRAMS: Final = (API_SERVER, ETCD, *PROGRAMS.values())
_TOOLS: Final = ("go", "openssl")

Tune = Callable[[Replica], None]


class PortError(OSError):
    """The port that was asked for can't be had."""


@dataclass
class Gateway:
    """A running request path."""

    url: str
    """Base URL of its OpenAI API."""
    certificate: Certificate
    cluster: Cluster
    """What it is made of; `changes` has another one take its place."""
    replicas: dict[str, Replica]
    """By pod; an autoscaler adds some and takes them away."""
    servers: ModelServers
    client: Client
    """Of the API server that has its objects."""
    served: Sequence[tuple[Manifest, Served]]
    """The services of the traffic extension, with what stands in for each."""
    folder: Path
    running: ExitStack
    """What ends with it."""
    tune: Tune
    """What is done to a replica before it serves."""
    workloads: dict[str, Workload] = field(default_factory=dict[str, Workload])
    """Pickers, router and proxies, by Deployment."""
    outside: dict[str, Outside] = field(default_factory=dict[str, Outside])
    """What the proxies of models outside the cluster reach, by Deployment."""
    programs: list[Program] = field(default_factory=list[Program])
    """Envoy in the load balancer's place first."""
    proxy: Proxy = field(init=False)
    starts: Iterator[int] = field(default_factory=itertools.count)
    """Numbers the folders of programs: there may be fewer programs than were started."""

    @property
    def extensions(self) -> Mapping[str, Served]:
        """What stands in for the services of the traffic extension, by their names."""
        return {extension["name"]: each for extension, each in self.served}

    @property
    def access_log(self) -> Path:
        """A line of JSON for each request, as `envoy.LOG_FORMAT` has it."""
        return self.folder / ACCESS_LOG

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
                autoscaled(
                    cluster,
                    client,
                    gateway.servers,
                    gateway.replicas,
                    gateway.workloads,
                    own,
                    tune,
                )
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
        found = list(stand_ins(cluster, cloud))
        extensions = running.enter_context(processors([processor for _, processor in found]))
        served = list(zip((extension for extension, _ in found), extensions, strict=True))
        port = port or free_ports(1)[0]
        made = certificate(cluster, cloud, folder)
        gateway = Gateway(
            f"https://{LOOPBACK}:{port}/v1",
            made,
            cluster,
            by_pod,
            serving,
            client,
            served,
            folder,
            running,
            tune,
        )
        running.callback(_delete_pods, gateway)
        for each in servers:
            apply_pod(client, cluster, each)
        for deployment in cluster.of("Deployment"):
            if workloads.program_of(deployment) is not None:
                start_workload(gateway, cluster, deployment)
        for workload in gateway.workloads.values():
            workload.wait()
        seen_by = envoy.filters(cluster, served)
        gateway.proxy = start_proxy(
            running,
            folder,
            listener("gateway", port, made, seen_by, envoy.LOG_FORMAT, folder),
            list(envoy.hosts(cluster, served, made)),
            envoy.clusters(cluster, gateway.workloads, served),
        )
        gateway.programs.insert(0, gateway.proxy.program)
        yield gateway


def start_workload(gateway: Gateway, cluster: Cluster, deployment: Manifest) -> None:
    """Start what a Deployment of a cluster runs, and what it reaches outside; it isn't ready
    yet."""
    name = deployment["metadata"]["name"]
    if workloads.program_of(deployment) == PROGRAMS["envoy"]:
        (document,) = workloads.files(cluster, deployment)
        models = models_of(cluster, deployment)
        gateway.outside[name] = gateway.running.enter_context(
            outside(document, name, models, gateway.folder)
        )
        gateway.tune(gateway.outside[name].replica)

    def moved(text: str, ports: Mapping[int, int]) -> str:
        reached = gateway.outside.get(name)
        return json.dumps(reached.moved(text, ports)) if reached else text

    # One that starts anew is beside the one before for a while.
    own = gateway.folder / f"{name}-{next(gateway.starts)}"
    workload = workloads.start(gateway.running, gateway.client, cluster, deployment, own, moved)
    gateway.workloads[name] = workload
    gateway.programs.append(workload.program)


def _delete_pods(gateway: Gateway) -> None:
    for each in gateway.replicas.values():
        delete_pod(gateway.client, gateway.cluster, each)


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
