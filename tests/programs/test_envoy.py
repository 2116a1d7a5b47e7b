"""The real Envoy, with the configuration of models outside the cluster, before fake servers.

Only addresses, ports, the trusted authority and the file's place differ from what is deployed.
"""

import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
import yaml

from catalog import releases
from components.inference import envoy_bootstrap
from components.inference.external_backend_pod import (
    CONFIG_DIRECTORY,
    CONFIG_FILE,
    envoy_config,
    pod_spec,
)
from tests.programs.external_servers import LOOPBACK, TOKEN, Metadata, Server, serve, vertex_ai
from tests.unit.inference_arguments import GEMINI

ENVOY = Path(sys.executable).parent / "envoy"
VERTEX_AI = "us-central1-aiplatform.googleapis.com"
OPENAPI = "/v1/projects/acme/locations/us-central1/endpoints/openapi"
CHAT = "/v1/chat/completions"
START_SECONDS = 30.0
# As five minutes are to ten: what Envoy bears of silence by default, and what an answer takes.
DEFAULT_IDLE = "0.2s"
ANSWER_SECONDS = 0.6


@dataclass
class Proxy:
    """A running Envoy, and the servers behind it."""

    port: int
    metadata: Server
    backend: Server
    silence: threading.Event

    def post(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)) as connection:
            connection.request("POST", path, b'{"model": "gemini"}', headers or {})
            response = connection.getresponse()
            text = response.read().decode()
        return response.status, json.loads(text) if text.startswith("{") else text


def _free_port() -> int:
    with closing(socket.socket()) as opened:
        opened.bind((LOOPBACK, 0))
        return opened.getsockname()[1]


def _moved(document: str, ports: dict[str, int], authority: Path) -> dict[str, Any]:
    """Return the configuration with its servers and listeners on the loopback."""
    envoy = yaml.safe_load(document)
    resources = envoy["static_resources"]
    envoy["admin"]["address"]["socket_address"]["port_value"] = ports["admin"]
    for listener in resources["listeners"]:
        listener["address"]["socket_address"] = {
            "address": LOOPBACK,
            "port_value": ports[listener["name"]],
        }
        (chain,) = listener["filter_chains"]
        (manager,) = chain["filters"]
        manager["typed_config"]["stream_idle_timeout"] = DEFAULT_IDLE
    for cluster in resources["clusters"]:
        (endpoints,) = cluster["load_assignment"]["endpoints"]
        (endpoint,) = endpoints["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"] = {
            "address": LOOPBACK,
            "port_value": ports[cluster["name"]],
        }
        if "transport_socket" in cluster:
            context = cluster["transport_socket"]["typed_config"]["common_tls_context"]
            context["validation_context"]["trusted_ca"]["filename"] = str(authority)
    return envoy


@contextmanager
def _running(config: Path, port: int) -> Generator[None]:
    log = config.with_suffix(".log")
    deployed = f"{CONFIG_DIRECTORY}/{CONFIG_FILE}"
    (container,) = cast("dict[str, Any]", pod_spec("gemini", {}, GEMINI))["containers"]
    args = [str(config) if arg == deployed else arg for arg in container["args"]]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [ENVOY, *args], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            end = time.monotonic() + START_SECONDS
            while not _is_ready(port):
                if process.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"Envoy did not become ready:\n{log.read_text()[-3000:]}")
                time.sleep(0.02)
            yield
        finally:
            process.kill()


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=5)) as connection:
        try:
            connection.request("GET", envoy_bootstrap.HEALTH_PATH)
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Generator[Proxy]:
    folder = tmp_path_factory.mktemp("envoy")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(VERTEX_AI).configure_cert(tls)
    silence = threading.Event()
    with ExitStack() as running:
        metadata = running.enter_context(serve(Metadata))
        backend = running.enter_context(serve(vertex_ai(silence, ANSWER_SECONDS), tls))
        ports = {
            "backend": backend.port,
            "metadata": metadata.port,
            **{name: _free_port() for name in ("admin", "requests", "metrics")},
        }
        config = folder / "envoy.json"
        config.write_text(
            json.dumps(_moved(envoy_config("acme", GEMINI), ports, folder / "authority.pem"))
        )
        running.enter_context(_running(config, ports["requests"]))
        yield Proxy(ports["requests"], metadata, backend, silence)


def test_the_program_is_the_release_that_is_deployed() -> None:
    shown = subprocess.run([ENVOY, "--version"], check=True, capture_output=True, text=True).stdout
    assert releases.ENVOY_IMAGE.rpartition("-v")[2].partition("@")[0] in shown


def test_a_request_reaches_vertex_ai_with_the_workloads_token(proxy: Proxy) -> None:
    answer = proxy.post(CHAT, {"authorization": "Bearer of-the-client"})
    assert answer == (200, {"path": f"{OPENAPI}/chat/completions"})
    asked = proxy.backend.requests[-1].headers
    assert asked["host"] == VERTEX_AI
    assert asked["authorization"] == f"Bearer {TOKEN}"


def test_the_token_is_kept_by_each_of_the_two_workers(proxy: Proxy) -> None:
    for _ in range(10):
        assert proxy.post(CHAT)[0] == 200
    assert len(proxy.metadata.requests) <= 2


def test_a_long_silence_before_the_answer_is_borne(proxy: Proxy) -> None:
    proxy.silence.set()
    try:
        assert proxy.post(CHAT)[0] == 200
    finally:
        proxy.silence.clear()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/../../aiplatform/v1/projects", 404),
        ("/v1/%2e%2e/%2e%2e/v1beta1", 404),
        ("/v1/..%2f..%2fv1beta1", 400),
        ("/v1/..%5c..%5cv1beta1", 400),
        ("/v2/chat/completions", 404),
    ],
)
def test_no_path_leads_elsewhere_with_the_workloads_token(
    proxy: Proxy, path: str, status: int
) -> None:
    before = len(proxy.backend.requests)
    assert proxy.post(path)[0] == status
    assert len(proxy.backend.requests) == before


def test_slashes_are_merged(proxy: Proxy) -> None:
    assert proxy.post("//v1//chat///completions") == (
        200,
        {"path": f"{OPENAPI}/chat/completions"},
    )
