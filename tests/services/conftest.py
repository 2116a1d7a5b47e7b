"""The services, running as their images run them, and what they call."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
import uvicorn

from services.local.openai_server import LocalOpenAI
from services.local.redis_server import LocalRedis
from services.local.storage_write import LocalStorageWrite
from tests.services.harness import Service

Start = Callable[..., Service]
TABLE = "acme.sentiment_results.results"
PREDICTIONS = "acme.inference.predictions"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start services, each stopped at the end."""
    running: list[Service] = []

    def start_one(name: str, environment: Mapping[str, str], *, ready: bool = True) -> Service:
        running.append(Service(name, environment))
        return running[-1].wait_until_ready() if ready else running[-1]

    yield start_one
    for service in running:
        service.stop()


@pytest.fixture
def warehouse() -> Iterator[LocalStorageWrite]:
    server = LocalStorageWrite()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def start_logging(start_backend: Start, warehouse: LocalStorageWrite) -> Start:
    """Start backends that keep a row of every chat."""

    def start_one(**environment: str) -> Service:
        given = {
            "PREDICTIONS_TABLE": PREDICTIONS,
            "PREDICTIONS_WAIT_SECONDS": "30",
            "BIGQUERY_STORAGE_ENDPOINT": warehouse.endpoint,
            **environment,
        }
        return start_backend(**given)

    return start_one


@pytest.fixture
def start_analyzer(start: Start, warehouse: LocalStorageWrite) -> Start:
    def start_one(**environment: str) -> Service:
        given = {
            "RESULTS_TABLE": TABLE,
            "BIGQUERY_STORAGE_ENDPOINT": warehouse.endpoint,
            **environment,
        }
        return start("sentiment_analyzer", given)

    return start_one


class Model(LocalOpenAI):
    """The local model server, in a thread."""

    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, log_level="critical", timeout_graceful_shutdown=30)
        )
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve([self._socket]))
        )
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)

    def wait_until_left(self) -> None:
        """Return when nobody is connected any more."""
        deadline = time.monotonic() + 60
        while self._server.server_state.connections:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def model() -> Iterator[Model]:
    server = Model()
    yield server
    server.stop()


@pytest.fixture
def start_backend(start: Start, model: Model) -> Iterator[Start]:
    running: list[Service] = []

    def start_one(**environment: str) -> Service:
        given = {"LLM_BASE_URL": model.url, "LLM_MODEL": "qwen3-4b", **environment}
        running.append(start("llm_backend", given))
        return running[-1]

    yield start_one
    # Before the model server, which waits for who still talks to it.
    for service in running:
        service.stop()


@pytest.fixture
def redis_url() -> Iterator[str]:
    server = LocalRedis()
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as one:
        yield one
