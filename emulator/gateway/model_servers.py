"""Simulated vLLM servers: the OpenAI API and metrics of many replicas, one address each.

They say so in each answer. A replica's words come at `seconds_per_token`; what it is busy with, and
whether it fails, can be set. Names of metrics: `catalog/metrics.yaml`.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from catalog.metrics import METRICS
from emulator.gateway.loops import background_loop

_WORDS: Final = ("This", "is", "a", "simulated", "answer:", "no", "model", "was", "asked.")
_NAMES: Final = {key: metric.name for key, metric in METRICS.items()}
_LORA: Final = "vllm:lora_requests_info"
_CACHE: Final = 'block_size="16",num_gpu_blocks="4096"'


@dataclass
class Replica:
    """A pod with a model, at an address."""

    pod: str
    address: str
    port: int
    model: str
    adapters: tuple[str, ...] = ()
    seconds_per_token: float = 0.0
    waiting: int = 0
    """Requests in its queue, beside those it answers."""
    cache_usage: float = 0.0
    """What of its KV cache is in use, from 0 to 1."""
    fails: bool = False
    """Whether it answers 500."""
    words: Sequence[str] = _WORDS
    """What it answers."""
    asked: tuple[Mapping[str, str], Any] = field(default_factory=lambda: ({}, None))
    """Headers and document of the last request to it."""
    running: int = 0
    answered: Counter[int] = field(default_factory=Counter[int])
    """Its answers by the first digit of their status."""

    @property
    def names(self) -> tuple[str, ...]:
        """The models that it serves."""
        return (self.model, *self.adapters)

    def metrics(self) -> str:
        """Return what Prometheus reads."""
        model = f'model_name="{self.model}"'
        adapters = (
            f'max_lora="{len(self.adapters)}",running_lora_adapters="{",".join(self.adapters)}",'
            'waiting_lora_adapters=""'
        )
        families: list[tuple[str, str, dict[str, float]]] = [
            (_NAMES["server_waiting"], "gauge", {model: self.waiting}),
            (_NAMES["server_running"], "gauge", {model: self.running}),
            (_NAMES["server_kv_cache"], "gauge", {model: self.cache_usage}),
            (_LORA, "gauge", {adapters: time.time()}),
            ("vllm:cache_config_info", "gauge", {_CACHE: 1}),
            (
                _NAMES["server_responses"],
                "counter",
                {f'status="{each}xx"': count for each, count in self.answered.items()},
            ),
        ]
        # The picker reads a gauge as such alone.
        return "".join(
            f"# TYPE {name} {kind}\n"
            + "".join(f"{name}{{{labels}}} {value}\n" for labels, value in series.items())
            for name, kind, series in families
        )


class _Server:
    """The HTTP API of one replica."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.application = web.Application(client_max_size=64 << 20)
        self.application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get("/v1/models", self._models),
                web.post("/v1/chat/completions", self._chat),
            ]
        )

    async def _health(self, request: web.Request) -> web.Response:
        del request
        return web.Response(status=500 if self.replica.fails else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        del request
        return web.Response(text=self.replica.metrics())

    async def _models(self, request: web.Request) -> web.Response:
        del request
        models = [{"id": name, "object": "model"} for name in self.replica.names]
        return web.json_response({"object": "list", "data": models})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        replica = self.replica
        replica.running += 1
        try:
            replica.asked = request.headers, await request.json()
            answer = await self._answer(request, replica.asked[1])
        finally:
            replica.running -= 1
        replica.answered[answer.status // 100] += 1
        return answer

    async def _answer(self, request: web.Request, asked: Any) -> web.StreamResponse:
        model = asked.get("model")
        if self.replica.fails:
            return _error(500, "the simulated server fails, as it was told to")
        if model not in self.replica.names:
            return _error(404, f"The model `{model}` does not exist.")
        if not isinstance(asked.get("messages"), list):
            return _error(400, "messages: a list is needed")
        words = self.replica.words[: asked.get("max_completion_tokens") or asked.get("max_tokens")]
        about = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": self.replica.pod,
        }
        prompt = len(json.dumps(asked["messages"]).split())
        tokens = {"prompt_tokens": prompt, "completion_tokens": len(words)}
        usage = {**tokens, "total_tokens": sum(tokens.values())}
        if asked.get("stream"):
            options: dict[str, Any] = asked.get("stream_options") or {}
            told = usage if options.get("include_usage") else None
            return await self._stream(request, about, words, told)
        await asyncio.sleep(self.replica.seconds_per_token * len(words))
        message = {"role": "assistant", "content": " ".join(words)}
        return web.json_response(
            {
                **about,
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": usage,
            }
        )

    async def _stream(
        self,
        request: web.Request,
        about: Mapping[str, Any],
        words: Sequence[str],
        usage: Mapping[str, int] | None,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        about = {**about, "object": "chat.completion.chunk"}
        deltas: list[dict[str, str]] = [{"content": f"{word} "} for word in words]
        with suppress(ConnectionResetError):  # the client has left
            for delta in (*deltas, {}):
                await asyncio.sleep(self.replica.seconds_per_token)
                choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
                await _event(response, {**about, "choices": [choice]})
            if usage is not None:
                await _event(response, {**about, "choices": [], "usage": usage})
            await response.write(b"data: [DONE]\n\n")
        return response


async def _event(response: web.StreamResponse, document: Mapping[str, Any]) -> None:
    await response.write(f"data: {json.dumps(document)}\n\n".encode())


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


@contextmanager
def model_servers(replicas: Sequence[Replica]) -> Generator[None]:
    """Serve all of them from one thread. Raises OSError if an address is taken."""
    runners = [
        web.AppRunner(_Server(each).application, access_log=None, shutdown_timeout=0.1)
        for each in replicas
    ]

    async def start() -> None:
        for runner, replica in zip(runners, replicas, strict=True):
            await runner.setup()
            await web.TCPSite(runner, replica.address, replica.port).start()

    async def stop() -> None:
        for runner in runners:
            await runner.cleanup()

    with background_loop() as run:
        try:
            run(start())
            yield
        finally:
            run(stop())
