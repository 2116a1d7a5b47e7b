"""The real Envoy, with the configuration of models outside the cluster, before fake servers.

Only addresses, ports, the trusted authority and the file's place differ from what is deployed.
"""

import http.client
import json
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from catalog import releases
from catalog.ports import METRICS
from components.inference import envoy_bootstrap
from components.inference.external_backend_pod import (
    CONFIG_DIRECTORY,
    CONFIG_FILE,
    envoy_config,
    pod_spec,
)
from emulator.gateway.outside import TOKEN, Asked, Outside, outside
from emulator.gateway.programs import LOOPBACK
from emulator.gateway.workloads import PROGRAMS
from emulator.ports import free_ports
from tests.unit.inference_arguments import GEMINI

ENVOY = PROGRAMS["envoy"]
MODEL = "google/gemini-2.5-flash"
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
    reached: Outside

    @property
    def asked(self) -> list[Asked]:
        """What the server outside was asked."""
        return self.reached.backend.requests

    def post(self, path: str, headers: dict[str, str] | None = None) -> int:
        body = json.dumps({"model": MODEL, "messages": []})
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)) as connection:
            connection.request("POST", path, body, headers or {})
            return connection.getresponse().status


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
    document = envoy_config("acme", GEMINI)
    ports = dict(zip((envoy_bootstrap.PORT, METRICS), free_ports(2), strict=True))
    with outside(document, "gemini", (MODEL,), folder) as reached:
        moved = reached.moved(document, ports)
        for listener in moved["static_resources"]["listeners"]:
            (chain,) = listener["filter_chains"]
            (manager,) = chain["filters"]
            manager["typed_config"]["stream_idle_timeout"] = DEFAULT_IDLE
        config = folder / "envoy.json"
        config.write_text(json.dumps(moved))
        with _running(config, ports[envoy_bootstrap.PORT]):
            yield Proxy(ports[envoy_bootstrap.PORT], reached)


def test_the_program_is_the_release_that_is_deployed() -> None:
    shown = subprocess.run([ENVOY, "--version"], check=True, capture_output=True, text=True).stdout
    assert releases.ENVOY_IMAGE.rpartition("-v")[2].partition("@")[0] in shown


def test_a_request_reaches_vertex_ai_with_the_workloads_token(proxy: Proxy) -> None:
    assert proxy.post(CHAT, {"authorization": "Bearer of-the-client"}) == 200
    asked = proxy.asked[-1]
    assert asked.path == f"{OPENAPI}/chat/completions"
    assert asked.headers["host"] == VERTEX_AI
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_the_token_is_kept_by_each_of_the_two_workers(proxy: Proxy) -> None:
    for _ in range(10):
        assert proxy.post(CHAT) == 200
    assert proxy.reached.metadata is not None
    assert 1 <= len(proxy.reached.metadata.requests) <= 2


def test_a_long_silence_before_the_answer_is_borne(proxy: Proxy) -> None:
    proxy.reached.replica.seconds_to_first_token = ANSWER_SECONDS
    try:
        assert proxy.post(CHAT) == 200
    finally:
        proxy.reached.replica.seconds_to_first_token = 0.0


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
    before = len(proxy.asked)
    assert proxy.post(path) == status
    assert len(proxy.asked) == before


def test_slashes_are_merged(proxy: Proxy) -> None:
    assert proxy.post("//v1//chat///completions") == 200
    assert proxy.asked[-1].path == f"{OPENAPI}/chat/completions"
