"""Stand-ins of servers outside a cluster that answer for its models: Vertex AI or another one with
the OpenAI API, and Google's metadata server, which has the tokens for it.

The proxy before them is the stack's own, with its own configuration; only addresses, ports and the
authority that it trusts are others. Who asks them without what they want is refused.
"""

import json
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import trustme
import yaml
from aiohttp import web

from emulator.gateway.client import Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.loops import Run, background_loop
from emulator.gateway.model_servers import Replica, model_server
from emulator.gateway.programs import LOOPBACK
from emulator.ports import free_ports

TOKEN: Final = "ya29.of-the-workload"  # noqa: S105
"""The workload's access token."""
_TOKEN_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
_BACKEND: Final = "backend"
_METADATA: Final = "metadata"

Handler = Callable[[web.Request], Any]


@dataclass(frozen=True)
class Asked:
    """What a server was asked."""

    path: str
    headers: Mapping[str, str]
    """By their names in small letters."""


@dataclass
class Server:
    """A running server and the requests it had."""

    port: int
    requests: list[Asked] = field(default_factory=list[Asked])


@dataclass
class Outside:
    """What one proxy reaches."""

    host: str
    """The name of the server that it stands for."""
    replica: Replica
    """How that server answers."""
    backend: Server
    metadata: Server | None
    """None where the server asks for no token."""
    _authority: Path

    def moved(self, document: str, ports: Mapping[int, int]) -> dict[str, Any]:
        """Return the proxy's configuration with servers and listeners on the loopback, these at
        the port here of each of theirs."""
        envoy = yaml.safe_load(document)
        resources = envoy["static_resources"]
        (admin,) = free_ports(1)
        envoy["admin"]["address"]["socket_address"]["port_value"] = admin
        servers = {"admin": admin, _BACKEND: self.backend.port}
        if self.metadata is not None:
            servers[_METADATA] = self.metadata.port
        for listener in resources["listeners"]:
            port = listener["address"]["socket_address"]["port_value"]
            listener["address"] = _address(ports[port])
        for cluster in resources["clusters"]:
            _endpoint(cluster)["address"] = _address(servers[cluster["name"]])
            if "transport_socket" in cluster:
                context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
                trusted = context["validation_context"]["trusted_ca"]
                trusted["filename"] = str(self._authority)
        return envoy


@contextmanager
def outside(document: str, name: str, models: tuple[str, ...], folder: Path) -> Generator[Outside]:
    """Serve what a proxy of that configuration reaches, for the models that are routed to it."""
    resources = yaml.safe_load(document)["static_resources"]
    clusters = {each["name"]: each for each in resources["clusters"]}
    route = _forwarding(resources["listeners"])
    host = route["host_rewrite_literal"]
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusted = folder / f"{name}-authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    authority.issue_cert(host).configure_cert(tls)
    backend, metadata = Server(0), Server(0) if _METADATA in clusters else None
    model, *others = models
    replica = Replica(name, LOOPBACK, 0, model, tuple(others))
    guards = [_noting(backend), *([] if metadata is None else [_authorized])]
    path = route["prefix_rewrite"].rstrip("/")
    with background_loop() as run:
        runners = [_listens(run, backend, model_server(replica, path, guards), tls)]
        if metadata is not None:
            application = web.Application(middlewares=[_noting(metadata)])
            application.add_routes([web.route("*", "/{path:.*}", _metadata)])
            runners.append(_listens(run, metadata, application, None))
        try:
            yield Outside(host, replica, backend, metadata, trusted)
        finally:
            for each in runners:
                run(each.cleanup())


def models_of(cluster: Cluster, proxy: Manifest) -> tuple[str, ...]:
    """Return the models that are routed to a proxy's Service."""
    labels = proxy["spec"]["template"]["metadata"]["labels"].items()
    services = {
        each["metadata"]["name"]
        for each in cluster.of("Service")
        if each["spec"].get("selector", {"": ""}).items() <= labels
    }
    return tuple(
        header["value"]
        for route in cluster.of("HTTPRoute")
        for rule in route["spec"]["rules"]
        if services & {each["name"] for each in rule["backendRefs"] if each["kind"] == "Service"}
        for match in rule["matches"]
        for header in match["headers"]
    )


def _listens(
    run: Run, server: Server, application: web.Application, tls: ssl.SSLContext | None
) -> web.AppRunner:
    """Let a server listen, at a port that it is told."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    (server.port,) = free_ports(1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, server.port, ssl_context=tls).start()

    run(start())
    return runner


def _noting(server: Server) -> Any:
    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        server.requests.append(Asked(request.path_qs, headers))
        return await handler(request)

    return note


@web.middleware
async def _authorized(request: web.Request, handler: Handler) -> web.StreamResponse:
    """https://cloud.google.com/apis/design/errors: 401 is for no, or another, token."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        error = {"code": 401, "status": "UNAUTHENTICATED", "message": "no valid access token"}
        return web.json_response({"error": error}, status=401)
    return await handler(request)


async def _metadata(request: web.Request) -> web.Response:
    """Refuse a forwarded request, and one without its header.

    https://cloud.google.com/compute/docs/metadata/querying-metadata
    """
    if "x-forwarded-for" in request.headers or request.headers.get("metadata-flavor") != "Google":
        return web.Response(status=403, text="Forbidden")
    if request.path != _TOKEN_PATH:
        return web.Response(status=404, text="Not Found")
    token = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
    return web.Response(text=json.dumps(token), content_type="application/json")


def _forwarding(listeners: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the route to the server outside."""
    for listener in listeners:
        for host in _manager(listener)["route_config"]["virtual_hosts"]:
            for route in host["routes"]:
                if route["route"]["cluster"] == _BACKEND:
                    return route["route"]
    raise LookupError("the proxy forwards nothing")


def _manager(listener: dict[str, Any]) -> dict[str, Any]:
    (chain,) = listener["filter_chains"]
    (manager,) = chain["filters"]
    return manager["typed_config"]


def _endpoint(cluster: dict[str, Any]) -> dict[str, Any]:
    (endpoints,) = cluster["load_assignment"]["endpoints"]
    (endpoint,) = endpoints["lb_endpoints"]
    return endpoint["endpoint"]


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
