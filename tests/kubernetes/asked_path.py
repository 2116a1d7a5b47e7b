"""A client of the request path to one region of prod."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from emulator.gateway import serve
from emulator.gateway.api_management import ApiManagement, Consumer
from emulator.gateway.client import Client
from emulator.gateway.cluster import Cluster
from emulator.gateway.model_servers import Replica

CHAT = "/chat/completions"
KEY = "a-key-without-limits"
QUESTION = [{"role": "user", "content": "Which way?"}]
SETTLE_SECONDS = 30.0
ANSWER_SECONDS = 120.0


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
    """The request path to one region of prod."""

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

    @property
    def consumers(self) -> dict[str, Consumer]:
        processor = self.gateway.extensions["api-management"].processor
        assert isinstance(processor, ApiManagement)
        return processor.consumers

    def behind(self, deployment: str) -> list[Replica]:
        return [
            each
            for pod, each in self.gateway.replicas.items()
            if pod.startswith(f"{deployment}-us")
        ]


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + SETTLE_SECONDS
    while not reached():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
