"""The services as their images start them, at the size the prod stack gives them.

What they call are the stand-ins of services/local, in processes of their own. These and the load
client share the machine's cores with the service, and nothing holds it to its container's:
throughput and latency are of the whole. Memory is of the service's processes alone.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.load import NUMBER, Load
from bench.measure import MIB, SAMPLE_SECONDS, resident, say
from bench.processes import Server, listens, serving
from config.containers import Container
from config.load import from_file
from emulator.ports import free_ports
from emulator.runtime.images import command_of, folder_of
from launcher.paths import ROOT

STARTS = 3
LOAD_SECONDS = 5.0


@dataclass(frozen=True)
class Work:
    """What a service is asked, and what it needs for that. PORT is its stand-in's."""

    stand_in: str
    environment: Mapping[str, str]
    path: str
    body: Mapping[str, Any]


WORK = {
    "sentiment_analyzer": Work(
        "services.local.storage_write",
        {
            "RESULTS_TABLE": "acme.sentiment_results.results",
            "BIGQUERY_STORAGE_ENDPOINT": "127.0.0.1:PORT",
        },
        "/",
        {
            "message": {
                "data": "SXQgd2FzIGRlbGl2ZXJlZCBsYXRlLCBidXQgSSBsb3ZlIGl0Lg==",
                "messageId": NUMBER,  # a message comes once: repeated ones are no work
                "publishTime": "2026-01-02T03:04:05.678Z",
            },
            "subscription": "projects/acme/subscriptions/sentiment-push",
        },
    ),
    "llm_backend": Work(
        "services.local.openai_server",
        {
            "LLM_BASE_URL": "http://127.0.0.1:PORT/v1",
            "LLM_MODEL": "qwen3-4b",
            "RATE_LIMIT": "1000000/second",  # one caller asks for all
        },
        "/v1/chat",
        {"message": f"Summarize this: it rained {NUMBER} days."},
    ),
}
"""By folder in services/."""


def services_figures(_: Path) -> dict[str, Any]:
    """Return cold start, throughput, latency and memory of every service of the prod stack."""
    report: dict[str, Any] = {}
    for container in containers():
        folder = folder_of(container.image)
        report[folder] = _figures(folder, container)
        say(f"{folder}: {json.dumps(report[folder])}")
    return report


def containers() -> Sequence[Container]:
    """Return what the prod stack runs on Cloud Run."""
    platform = from_file(ROOT / "Pulumi.prod.yaml")
    return (*platform.pipelines.values(), *platform.services.values())


def _figures(folder: str, container: Container) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as logs:
        trial = _Trial(folder, container, Path(logs))
        with trial.stand_in():
            starts = [trial.start() for _ in range(STARTS)]
            loaded = trial.load()
    return {
        "ready_seconds": statistics.median(ready for ready, _ in starts),
        "first_answer_seconds": statistics.median(answered for _, answered in starts),
        "concurrency": container.concurrency,
        **loaded,
        "memory_limit_mib": container.memory_mib,
        "memory_percent": round(loaded["peak_mib"] / container.memory_mib * 100, 1),
    }


class _Trial:
    """Runs one service again and again."""

    def __init__(self, folder: str, container: Container, logs: Path) -> None:
        self._folder = folder
        self._container = container
        self._work = WORK[folder]
        self._logs = logs
        self._port, self._stand_in_port = free_ports(2)
        self._base = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "HOST": "127.0.0.1"}

    @contextmanager
    def stand_in(self) -> Generator[None]:
        """Run what the service calls."""
        command = [sys.executable, "-m", self._work.stand_in, "--port", str(self._stand_in_port)]
        with serving(command, self._base, self._logs / "stand_in.log") as server:
            server.wait_until(lambda: listens(self._stand_in_port))
            yield

    def start(self) -> tuple[float, float]:
        """Return seconds from the start of the process to its being ready, and to its first
        answer."""
        started = time.monotonic()
        with self._service() as server:
            self._wait_until_ready(server)
            ready = time.monotonic() - started
            answer = httpx.post(
                self._url(self._work.path), json=self._work.body, trust_env=False, timeout=60
            )
            answered = time.monotonic() - started
        answer.raise_for_status()
        return round(ready, 2), round(answered, 2)

    def load(self) -> dict[str, Any]:
        """Return what the load client found, and the memory and cores the service took
        meanwhile."""
        load = Load(
            self._url(self._work.path),
            json.dumps(self._work.body),
            self._container.concurrency,
            LOAD_SECONDS,
        )
        command = [sys.executable, "-m", "bench.load", json.dumps(asdict(load))]
        peak = 0
        with self._service() as server:
            self._wait_until_ready(server)
            client = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            while client.poll() is None:
                peak = max(peak, resident(server.pid))
                time.sleep(SAMPLE_SECONDS)
            output, _ = client.communicate()
        if client.returncode != 0:
            raise RuntimeError(f"the load on {self._folder} failed, as told above")
        return {**json.loads(output), "peak_mib": round(peak / MIB, 1)}

    @contextmanager
    def _service(self) -> Generator[Server]:
        environment = {**self._container.environment, **self._work.environment}
        wired = {
            key: value.replace("PORT", str(self._stand_in_port))
            for key, value in environment.items()
        }
        own = {**self._base, **wired, "PORT": str(self._port)}
        with serving(command_of(self._folder), own, self._logs / "service.log") as server:
            yield server

    def _wait_until_ready(self, server: Server) -> None:
        # A client per look would cost more than the look.
        with httpx.Client(trust_env=False) as client:
            server.wait_until(lambda: self._is_ready(client))

    def _is_ready(self, client: httpx.Client) -> bool:
        try:
            return client.get(self._url("/readyz")).is_success
        except httpx.TransportError:
            return False

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}{path}"
