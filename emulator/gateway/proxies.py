"""Envoy as a load balancer on this machine: its program, and what its configurations share."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emulator.gateway.certificates import Certificate
from emulator.gateway.programs import LOOPBACK, Program, says_ok
from emulator.gateway.workloads import PROGRAMS
from emulator.ports import free_ports

TYPES: Final = "type.googleapis.com/envoy.extensions"
ACCESS_LOG: Final = "requests.jsonl"
"""A line of JSON for each request."""
_CONFIG: Final = "type.googleapis.com/envoy.config"
_ROUTES: Final = "routes.json"
_CLUSTERS: Final = "clusters.json"
CONNECT_TIMEOUT: Final = "5s"
_FLAGS: Final = (
    *("--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"),
    *("--file-flush-interval-msec", "100"),
)
FLUSH_SECONDS: Final = 0.1
_START_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Proxy:
    """A running Envoy with one listener. It reads its routes and clusters from files, and anew
    when they are put in the place of others."""

    program: Program
    _folder: Path
    _name: str
    _admin_port: int

    def turn_routes(self, hosts: Sequence[Mapping[str, Any]]) -> None:
        """Take these virtual hosts from now on; requests on their way go on as they began."""
        self._turn(_write_routes(self._folder, self._name, hosts), f"rds.{self._name}")

    def turn_clusters(self, clusters: Sequence[Mapping[str, Any]]) -> None:
        """Take these clusters from now on."""
        self._turn(_write_clusters(self._folder, clusters), "cluster_manager.cds")

    def _turn(self, files: tuple[Path, Path], what: str) -> None:
        counted = f"{what}.update_success"
        before = self._stat(counted)
        written, file = files
        written.replace(file)
        self.program.wait_until(
            lambda: (
                self._stat(counted) > before and not self._stat("cluster_manager.warming_clusters")
            ),
            _START_SECONDS,
        )

    def _stat(self, name: str) -> int:
        url = f"http://{LOOPBACK}:{self._admin_port}/stats?filter={name}$"
        with urllib.request.urlopen(url, timeout=_START_SECONDS) as answer:
            text: str = answer.read().decode()
        return int(text.rpartition(":")[2] or 0)


def start_proxy(
    running: ExitStack,
    folder: Path,
    listener: Mapping[str, Any],
    hosts: Sequence[Mapping[str, Any]],
    clusters: Sequence[Mapping[str, Any]],
) -> Proxy:
    """Run an Envoy until the stack ends, with files of its own in the folder.

    Raises ProgramError with the end of its log if it doesn't become ready.
    """
    (admin_port,) = free_ports(1)
    name = listener["name"]
    for written, file in (
        _write_routes(folder, name, hosts),
        _write_clusters(folder, clusters),
    ):
        written.replace(file)
    document = {
        "node": {"id": name, "cluster": name},
        "admin": {"address": address(admin_port)},
        "dynamic_resources": {"cds_config": _read_from(folder / _CLUSTERS)},
        "static_resources": {"listeners": [listener]},
    }
    config = folder / "envoy.json"
    config.write_text(json.dumps(document), encoding="utf-8")
    command = [PROGRAMS["envoy"], "--config-path", config, *_FLAGS]
    envoy = Program(running, folder / "envoy.log", command)
    envoy.wait_until(lambda: says_ok(admin_port, "/ready"), _START_SECONDS)
    return Proxy(envoy, folder, name, admin_port)


def listener(
    name: str,
    port: int,
    certificate: Certificate,
    filters: Sequence[Mapping[str, Any]],
    log_format: Mapping[str, str],
    folder: Path,
) -> dict[str, Any]:
    """Return a listener of TLS, whose HTTP filters see each request, and which logs it."""
    logged = {
        "@type": f"{TYPES}.access_loggers.file.v3.FileAccessLog",
        "path": str(folder / ACCESS_LOG),
        "log_format": {"json_format": log_format},
    }
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "normalize_path": True,
        "merge_slashes": True,
        "strip_any_host_port": True,
        "access_log": [{"name": "requests", "typed_config": logged}],
        "rds": {"route_config_name": name, "config_source": _read_from(folder / _ROUTES)},
        "http_filters": [
            *filters,
            {
                "name": "upstream",
                "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
            },
        ],
    }
    return {
        "name": name,
        "address": address(port),
        "filter_chains": [
            {
                "transport_socket": _ends_tls(certificate),
                "filters": [{"name": "http", "typed_config": manager}],
            }
        ],
    }


def _write_routes(folder: Path, name: str, hosts: Sequence[Mapping[str, Any]]) -> tuple[Path, Path]:
    kind = f"{_CONFIG}.route.v3.RouteConfiguration"
    return _write(folder / _ROUTES, [{"@type": kind, "name": name, "virtual_hosts": hosts}])


def _write_clusters(folder: Path, clusters: Sequence[Mapping[str, Any]]) -> tuple[Path, Path]:
    kind = f"{_CONFIG}.cluster.v3.Cluster"
    return _write(folder / _CLUSTERS, [{"@type": kind, **each} for each in clusters])


def _write(file: Path, resources: Sequence[Mapping[str, Any]]) -> tuple[Path, Path]:
    """Write resources beside their file, whose place they have to take at once."""
    written = file.with_suffix(".new")
    written.write_text(json.dumps({"resources": resources}), encoding="utf-8")
    return written, file


def _read_from(file: Path) -> dict[str, Any]:
    return {"resource_api_version": "V3", "path_config_source": {"path": str(file)}}


def static_cluster(name: str, *ports: int) -> dict[str, Any]:
    """Return a cluster of ports of this machine, those that come first before the others."""
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": CONNECT_TIMEOUT,
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [
                {"priority": number, "lb_endpoints": [{"endpoint": {"address": address(port)}}]}
                for number, port in enumerate(ports)
            ],
        },
    }


def begins_tls() -> dict[str, Any]:
    """Return how a cluster is spoken to by TLS, whatever certificate it has."""
    return {
        "transport_socket": {
            "name": "tls",
            "typed_config": {"@type": f"{TYPES}.transport_sockets.tls.v3.UpstreamTlsContext"},
        }
    }


def address(port: int) -> dict[str, Any]:
    """Return a port of this machine."""
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}


def _ends_tls(certificate: Certificate) -> dict[str, Any]:
    files = {
        "certificate_chain": {"filename": str(certificate.chain)},
        "private_key": {"filename": str(certificate.key)},
    }
    return {
        "name": "tls",
        "typed_config": {
            "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [files],
                "alpn_protocols": ["h2", "http/1.1"],
            },
        },
    }
