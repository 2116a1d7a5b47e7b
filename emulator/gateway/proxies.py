"""Envoy as a load balancer on this machine: its program, and what its configurations share."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from emulator.gateway.certificates import Certificate
from emulator.gateway.programs import LOOPBACK, Program, free_ports
from emulator.gateway.workloads import PROGRAMS

TYPES: Final = "type.googleapis.com/envoy.extensions"
CONNECT_TIMEOUT: Final = "5s"
_FLAGS: Final = (
    *("--concurrency", "1", "--log-level", "warning", "--disable-hot-restart"),
    *("--file-flush-interval-msec", "100"),
)
FLUSH_SECONDS: Final = 0.1
_START_SECONDS: Final = 30.0


def start_proxy(
    running: ExitStack,
    log: Path,
    listener: Mapping[str, Any],
    clusters: Sequence[Mapping[str, Any]],
) -> Program:
    """Run an Envoy with one listener until the stack ends; its log is beside its configuration.

    Raises ProgramError with the end of its log if it doesn't become ready.
    """
    (admin_port,) = free_ports(1)
    document = {
        "admin": {"address": address(admin_port)},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }
    config = log.with_suffix(".json")
    config.write_text(json.dumps(document), encoding="utf-8")
    envoy = Program(running, log, [PROGRAMS["envoy"], "--config-path", config, *_FLAGS])
    envoy.wait_until(lambda: _is_live(admin_port), _START_SECONDS)
    return envoy


def listener(
    name: str, port: int, certificate: Certificate, manager: Mapping[str, Any], access_log: Path
) -> dict[str, Any]:
    """Return a listener of TLS with an HTTP connection manager, which logs each request to a file
    in the format that it is given as `log_format`."""
    logged = {
        "@type": f"{TYPES}.access_loggers.file.v3.FileAccessLog",
        "path": str(access_log),
        "log_format": {"json_format": manager["log_format"]},
    }
    typed = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "normalize_path": True,
        "merge_slashes": True,
        "strip_any_host_port": True,
        "access_log": [{"name": "requests", "typed_config": logged}],
        "route_config": {"name": name, "virtual_hosts": manager["virtual_hosts"]},
        "http_filters": [
            *manager["http_filters"],
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
                "filters": [{"name": "http", "typed_config": typed}],
            }
        ],
    }


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


def _is_live(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/ready", timeout=2) as answer:
            return answer.status == HTTPStatus.OK
    except OSError:
        return False
