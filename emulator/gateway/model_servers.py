"""Simulated vLLM servers: the OpenAI API and metrics of many replicas, one address each.

They say so in each answer. A replica's words come at `seconds_per_token`; what it is busy with, and
whether it fails, can be set.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from emulator.gateway.loops import Run, background_loop
from emulator.gateway.server_metrics import ServerMetrics

_WORDS: Final = ("This", "is", "a", "simulated", "answer:", "no", "model", "was", "asked.")
_MOST_AT_ONCE: Final = 256
"""Requests that a server runs at once; the others wait: vLLM's own default of --max-num-seqs."""


@dataclass
class Replica:
    """A pod with a model, at an address. Its times are those of its own clock."""

    pod: str
    address: str
    port: int
    model: str
    adapters: tuple[str, ...] = ()
    seconds_to_first_token: float = 0.0
    seconds_per_token: float = 0.0
    speed: float = 1.0
    """Seconds of its clock in one of ours."""
    at_once: int = _MOST_AT_ONCE
    """Requests that it runs at once; others wait."""
    waiting: int = 0
    """Requests in its queue, beside those that wait in fact."""
    cache_usage: float = 0.0
    """What of its KV cache is in use, from 0 to 1."""
    fails: bool = False
    """Whether it answers 500."""
    words: Sequence[str] = _WORDS
    """What it answers."""
    asked: tuple[Mapping[str, str], Any] = field(default_factory=lambda: ({}, None))
    """Headers and document of the last request to it."""
    running: int = 0
    queued: int = 0
    answered: Counter[int] = field(default_factory=Counter[int])
    """Its answers by the first digit of their status."""

    def __post_init__(self) -> None:
        self.counts = ServerMetrics(self.model, self.adapters)

    @property
    def names(self) -> tuple[str, ...]:
        """The models that it serves."""
        return (self.model, *self.adapters)

    def metrics(self) -> str:
        """Return what Prometheus reads."""
        return self.counts.text(self.waiting + self.queued, self.running, self.cache_usage)


class _Server:
    """The HTTP API of one replica."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._free = asyncio.Condition()
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
        replica.asked = request.headers, await request.json()
        answer = await self._answer(request, replica.asked[1])
        replica.answered[answer.status // 100] += 1
        replica.counts.answered(answer.status)
        return answer

    async def _answer(self, request: web.Request, asked: Any) -> web.StreamResponse:
        model = asked.get("model")
        if self.replica.fails:
            return _error(500, "the simulated server fails, as it was told to")
        if model not in self.replica.names:
            return _error(404, f"The model `{model}` does not exist.")
        if not isinstance(asked.get("messages"), list):
            return _error(400, "messages: a list is needed")
        began = time.monotonic()
        async with self._turn():
            waited = (time.monotonic() - began) * self.replica.speed
            return await self._generate(request, asked, waited)

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        """Wait in the queue until another request may run."""
        replica = self.replica
        replica.queued += 1
        try:
            async with self._free:
                await self._free.wait_for(lambda: replica.running < replica.at_once)
                replica.running += 1
        finally:
            replica.queued -= 1
        try:
            yield
        finally:
            replica.running -= 1
            async with self._free:
                self._free.notify()

    async def _generate(
        self, request: web.Request, asked: Any, waited: float
    ) -> web.StreamResponse:
        replica = self.replica
        most = asked.get("max_completion_tokens") or asked.get("max_tokens")
        words = replica.words[:most]
        why = "stop" if len(words) == len(replica.words) else "length"
        about = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": asked["model"],
            "system_fingerprint": replica.pod,
        }
        prompt = len(json.dumps(asked["messages"]).split())
        tokens = {"prompt_tokens": prompt, "completion_tokens": len(words)}
        usage = {**tokens, "total_tokens": sum(tokens.values())}
        # What it was told to take, not what this machine took: a pause of it is no slow answer.
        first = replica.seconds_to_first_token + replica.seconds_per_token
        seconds = first + replica.seconds_per_token * (len(words) - 1)
        if asked.get("stream"):
            options: dict[str, Any] = asked.get("stream_options") or {}
            told = usage if options.get("include_usage") else None
            answer = await self._stream(request, about, (words, why), told)
        else:
            await self._passes(seconds)
            message = {"role": "assistant", "content": " ".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": why}
            answer = web.json_response(
                {**about, "object": "chat.completion", "choices": [choice], "usage": usage}
            )
        replica.counts.generated(waited + first, waited + seconds, (prompt, len(words)), why)
        return answer

    async def _passes(self, seconds: float) -> None:
        """Let so much of the replica's time pass."""
        await asyncio.sleep(seconds / self.replica.speed)

    async def _stream(
        self,
        request: web.Request,
        about: Mapping[str, Any],
        answer: tuple[Sequence[str], str],
        usage: Mapping[str, int] | None,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        about = {**about, "object": "chat.completion.chunk"}
        words, why = answer
        deltas: list[dict[str, str]] = [{"content": f"{word} "} for word in words]
        with suppress(ConnectionResetError):  # the client has left
            await self._passes(self.replica.seconds_to_first_token)
            for delta in (*deltas, {}):
                if delta:
                    await self._passes(self.replica.seconds_per_token)
                choice = {"index": 0, "delta": delta, "finish_reason": None if delta else why}
                await _event(response, {**about, "choices": [choice]})
            if usage is not None:
                await _event(response, {**about, "choices": [], "usage": usage})
            await response.write(b"data: [DONE]\n\n")
        return response


async def _event(response: web.StreamResponse, document: Mapping[str, Any]) -> None:
    await response.write(f"data: {json.dumps(document)}\n\n".encode())


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


class ModelServers:
    """Servers of replicas in one thread; they come and go."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._runners: dict[str, web.AppRunner] = {}

    def start(self, *replicas: Replica) -> None:
        """Serve these too. Raises OSError if an address is taken."""

        async def start() -> None:
            for each in replicas:
                application = _Server(each).application
                runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
                self._runners[each.pod] = runner
                await runner.setup()
                await web.TCPSite(runner, each.address, each.port).start()

        self._run(start())

    def stop(self, *replicas: Replica) -> None:
        """Serve these no more: all of them, where none is named."""

        async def stop() -> None:
            for pod in [each.pod for each in replicas] or list(self._runners):
                await self._runners.pop(pod).cleanup()

        self._run(stop())


@contextmanager
def model_servers(replicas: Sequence[Replica]) -> Generator[ModelServers]:
    """Serve all of them from one thread. Raises OSError if an address is taken."""
    with background_loop() as run:
        servers = ModelServers(run)
        try:
            servers.start(*replicas)
            yield servers
        finally:
            servers.stop()
