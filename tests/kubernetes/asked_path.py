"""A client of the request path to one region of a stack."""

import http.client
import itertools
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.gateway import serve
from emulator.gateway.api_management import ApiManagement, Consumer
from emulator.gateway.client import Client
from emulator.gateway.cluster import Cluster
from emulator.gateway.model_servers import Replica

STACKS = ("prod", "dev")
CHAT = "/chat/completions"
KEY = "a-key-without-limits"
QUESTION = [{"role": "user", "content": "Which way?"}]
SETTLE_SECONDS = 30.0
ANSWER_SECONDS = 120.0
CALLERS = 3
LEAST_ASKED = 100


@dataclass
class Answer:
    """What a client got."""

    status: int
    text: str
    document: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def pod(self) -> str:
        return self.document["system_fingerprint"]


@dataclass
class Path:
    """The request path to one region of a stack. What a stack hasn't got skips the test that asks
    for it, and is said."""

    stack: str
    cluster: Cluster
    client: Client
    gateway: serve.Gateway

    def ask(
        self,
        model: str | None,
        headers: Mapping[str, str] | None = None,
        messages: list[dict[str, str]] = QUESTION,
        key: str | None = KEY,
        **more: Any,
    ) -> Answer:
        url = urlsplit(self.gateway.url)
        sent = {**({"Authorization": f"Bearer {key}"} if key else {}), **(headers or {})}
        body = {"messages": messages, **({"model": model} if model else {}), **more}
        connected = http.client.HTTPSConnection(
            url.netloc, timeout=ANSWER_SECONDS, context=self.trust
        )
        with closing(connected) as connection:
            connection.request("POST", url.path + CHAT, json.dumps(body), sent)
            response = connection.getresponse()
            text = response.read().decode()
        is_json = text.startswith("{")
        return Answer(response.status, text, json.loads(text) if is_json else {})

    @cached_property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.gateway.certificate.authority)

    def pods(self, model: str, requests: int = 8) -> set[str]:
        return {self.ask(model).pod for _ in range(requests)}

    def has(self, thing: str, found: object) -> None:
        """Skip a test of what this stack hasn't got."""
        if not found:
            pytest.skip(f"{self.stack} HAS NO {thing}: the other stack's path was tested")

    @property
    def consumers(self) -> dict[str, Consumer]:
        self.has("API MANAGEMENT", "api-management" in self.gateway.extensions)
        processor = self.gateway.extensions["api-management"].processor
        assert isinstance(processor, ApiManagement)
        return processor.consumers

    def behind(self, model: str) -> list[Replica]:
        """Return the replicas that serve a model."""
        found = [each for each in self.gateway.replicas.values() if model in each.names]
        self.has(model, found)
        return found

    def several(self, model: str) -> list[Replica]:
        """Return the replicas of a model, of which there are more than one."""
        found = self.behind(model)
        self.has("SECOND REPLICA", len(found) > 1)
        return found

    def pool(self, model: str) -> str:
        """Return the pool that all replicas of a model are in."""
        deployment = self.behind(model)[0].pod.rpartition("-")[0]
        labels = self.cluster.one("Deployment", deployment)["spec"]["selector"]["matchLabels"]
        (found,) = (
            each["metadata"]["name"]
            for each in self.cluster.of("InferencePool")
            if each["spec"]["selector"]["matchLabels"] == labels
        )
        return found


def unlimited(path: Path) -> Path:
    """Let the client ask as often as it likes, where something asks for its key."""
    if path.gateway.keys():
        path.consumers[KEY] = Consumer("unlimited", None, None)
    return path


@contextmanager
def asked_all_the_time(path: Path, *models: str) -> Generator[None]:
    """Ask each model, whole answers and streamed ones. Fails if any request does."""
    ended, answers = threading.Event(), Counter[str]()

    def ask(model: str) -> None:
        for number in itertools.count():
            if ended.wait(0.01):
                return
            stream = bool(number % 2)
            try:
                answer = path.ask(model, stream=stream)
                whole = not stream or answer.text.endswith("data: [DONE]\n\n")
                answers[f"{answer.status}{'' if whole else ' cut'}"] += 1
            except OSError as problem:
                answers[str(problem)] += 1

    threads = [threading.Thread(target=ask, args=[each]) for each in models * CALLERS]
    for each in threads:
        each.start()
    try:
        yield
        until(lambda: answers.total() > LEAST_ASKED)
    finally:
        ended.set()
        for each in threads:
            each.join()
    assert answers.keys() == {"200"}, answers


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + SETTLE_SECONDS
    while not reached():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
