"""Runs a Kubernetes API server with its store, on loopback ports, in a folder of its own."""

import secrets
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path

from emulator.gateway.client import Client, RefusedError
from emulator.gateway.programs import ENGINE, LOOPBACK, Program, write_private
from emulator.ports import free_ports

API_SERVER = ENGINE / "kubernetes" / "kube-apiserver"
ETCD = ENGINE / "kubernetes" / "etcd"
START_SECONDS = 120.0
ZERO_REPLICAS = "--feature-gates=HPAScaleToZero=true"
"""On by default from Kubernetes 1.37 on, as in GKE; the release that runs here must be told."""


@contextmanager
def control_plane(folder: Path) -> Generator[Client]:
    """Yield a client of a new, empty API server; both processes end with the context.

    Raises ProgramError with the end of the log if the server doesn't become ready.
    """
    etcd_port, peer_port, port = free_ports(3)
    token = secrets.token_urlsafe(32)
    write_private(folder / "tokens.csv", f'{token},tests,tests,"system:masters"\n')
    key = folder / "service-account.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    with ExitStack() as running:
        Program(running, folder / "etcd.log", _etcd(folder, etcd_port, peer_port))
        server = Program(
            running, folder / "kube-apiserver.log", _api_server(folder, etcd_port, port, key)
        )
        client = Client(port, folder / "certificates" / "apiserver.crt", token)
        running.callback(client.close)
        server.wait_until(lambda: _answers(client), START_SECONDS)
        yield client


def _etcd(folder: Path, port: int, peer_port: int) -> list[str]:
    client = f"http://{LOOPBACK}:{port}"
    peer = f"http://{LOOPBACK}:{peer_port}"
    return [
        str(ETCD),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]


def _api_server(folder: Path, etcd_port: int, port: int, key: Path) -> list[str]:
    return [
        str(API_SERVER),
        f"--etcd-servers=http://{LOOPBACK}:{etcd_port}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={port}",
        # Nothing reaches the server under the address that it tells; loopback is refused there.
        "--advertise-address=192.0.2.1",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        ZERO_REPLICAS,
    ]


def _answers(client: Client) -> bool:
    try:
        client.request("GET", "/readyz")
    except (OSError, HTTPException, RefusedError):
        return False
    return True
