"""Runs a Kubernetes API server with its store, on loopback ports, in a folder of its own."""

import ctypes
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from launcher.places import ROOT
from tests.kubernetes.client import Client, RefusedError

PROGRAMS = ROOT / ".engine" / "kubernetes"
API_SERVER = PROGRAMS / "kube-apiserver"
ETCD = PROGRAMS / "etcd"
LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 5.0
LOG_LINES = 15
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


@contextmanager
def control_plane(folder: Path) -> Generator[Client]:
    """Yield a client of a new, empty API server; both processes end with the context.

    Raises RuntimeError with the end of the log if the server doesn't become ready.
    """
    etcd_port, peer_port, port = _free_ports(3)
    token = secrets.token_urlsafe(32)
    _write_private(folder / "tokens.csv", f'{token},tests,tests,"system:masters"\n')
    key = folder / "service-account.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    with ExitStack() as running:
        _start(running, folder / "etcd.log", _etcd(folder, etcd_port, peer_port))
        server = _start(
            running, folder / "kube-apiserver.log", _api_server(folder, etcd_port, port, key)
        )
        yield _ready(server, folder, port, token)


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
    ]


def _start(running: ExitStack, log: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    running.callback(_stop, process)
    return process


def _die_with_parent() -> None:
    """Even a killed test run leaves no server behind."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, ending)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def _ready(server: subprocess.Popen[bytes], folder: Path, port: int, token: str) -> Client:
    certificate = folder / "certificates" / "apiserver.crt"
    end = time.monotonic() + START_SECONDS
    answer = "no answer yet"
    while time.monotonic() < end and server.poll() is None:
        try:
            client = Client(port, certificate, token)
            client.request("GET", "/readyz")
        except (OSError, ssl.SSLError, RefusedError) as problem:
            answer = str(problem)
            time.sleep(0.1)
        else:
            return client
    log = (folder / "kube-apiserver.log").read_text().splitlines()[-LOG_LINES:]
    raise RuntimeError(
        "the API server did not become ready "
        f"(exit code {server.returncode}; {answer}):\n" + "\n".join(log)
    )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
