"""Simulated vLLM servers: the OpenAI API and metrics of many replicas, one address each.

They say so in each answer. How long a replica takes, what it is busy with, and whether it fails,
can be set.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from emulator.gateway.answers import Answers, Part, RefusedError, Told
from emulator.gateway.kv_cache import BLOCKS, KvCache
from emulator.gateway.loops import Run, background_loop
from emulator.gateway.server_metrics import ServerMetrics

_WORDS: Final = ("This", "is", "a", "simulated", "answer:", "no", "model", "was", "asked.")
_LEFT: Final = "abort"
"""Why an answer ended that nobody waited for."""
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
    """Beside what its prompt takes."""
    seconds_per_prompt_token: float = 0.0
    """Of those that aren't in its prefix cache."""
    seconds_per_token: float = 0.0
    step_seconds: Callable[[int], float] = lambda _: 0.0
    """What a token of so many sequences at once takes, beside that."""
    speed: float = 1.0
    """Seconds of its clock in one of ours."""
    at_once: int = _MOST_AT_ONCE
    """Requests that it runs at once; others wait."""
    waiting: int = 0
    """Requests in its queue, beside those that wait in fact."""
    cache_usage: float = 0.0
    """What of its KV cache is in use, from 0 to 1, beside what is in fact."""
    blocks: int = BLOCKS
    """Of its KV cache."""
    fails: bool = False
    """Whether it answers 500."""
    words: Sequence[str] = _WORDS
    """What it answers, unless"""
    answers: Answers | None = None
    """answers for it."""
    asked: tuple[Mapping[str, str], Any] = field(init=False, default=({}, None))
    """Headers and document of the last request to it."""
    running: Counter[str] = field(init=False, default_factory=Counter[str])
    queued: Counter[str] = field(init=False, default_factory=Counter[str])
    """Requests to it, by their model."""
    answered: Counter[int] = field(init=False, default_factory=Counter[int])
    """Its answers by the first digit of their status."""

    def __post_init__(self) -> None:
        self.size(self.blocks)

    def size(self, blocks: int) -> None:
        """Give it an empty KV cache of so many blocks."""
        self.blocks, self.cache = blocks, KvCache(blocks)
        self.counts = ServerMetrics(self.model, self.adapters, blocks)

    @property
    def names(self) -> tuple[str, ...]:
        """The models that it serves."""
        return (self.model, *self.adapters)

    def metrics(self) -> str:
        """Return what Prometheus reads."""
        usage = min(1.0, self.cache_usage + self.cache.usage)
        return self.counts.text(self.waiting, self.queued, self.running, usage)


class _Server:
    """The HTTP API of one replica."""

    def __init__(self, replica: Replica, api: str, guards: Sequence[Any]) -> None:
        self.replica = replica
        self._free = asyncio.Condition()
        self.application = web.Application(client_max_size=64 << 20, middlewares=guards)
        self.application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/metrics", self._metrics),
                web.get(f"{api}/models", self._models),
                web.post(f"{api}/chat/completions", self._chat),
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
        answers = self.replica.answers or Told(self.replica.words)
        try:
            prompt = await answers.prompt(asked)
            async with self._turn(model, len(prompt) + answers.most(asked)):
                waited = (time.monotonic() - began) * self.replica.speed
                async with aclosing(answers.parts(asked)) as parts:
                    return await self._generate(request, asked, (prompt, parts), waited)
        except RefusedError as refusal:
            return _error(refusal.status, str(refusal))

    @asynccontextmanager
    async def _turn(self, model: str, tokens: int) -> AsyncGenerator[None]:
        """Wait in the queue until another request may run, and has room in the cache."""
        replica = self.replica
        needed = replica.cache.needed(tokens)

        def is_free() -> bool:
            return replica.running.total() < replica.at_once and replica.cache.has_room(needed)

        replica.queued[model] += 1
        try:
            async with self._free:
                await self._free.wait_for(is_free)
                replica.running[model] += 1
                replica.cache.take(needed)
        finally:
            replica.queued[model] -= 1
        try:
            yield
        finally:
            replica.running[model] -= 1
            replica.cache.give(needed)
            async with self._free:
                self._free.notify_all()

    async def _generate(
        self,
        request: web.Request,
        asked: Any,
        texts: tuple[Sequence[str], AsyncIterator[Part]],
        waited: float,
    ) -> web.StreamResponse:
        replica = self.replica
        prompt, parts = texts
        about = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": asked["model"],
            "system_fingerprint": replica.pod,
        }
        cached = replica.cache.look_up(asked["model"], prompt)

        def usage(tokens: int) -> dict[str, Any]:
            return {
                "prompt_tokens": len(prompt),
                "completion_tokens": tokens,
                "total_tokens": len(prompt) + tokens,
                "prompt_tokens_details": {"cached_tokens": cached},
            }

        # What it was told to take, not what this machine took: a pause of it is no slow answer.
        each = replica.seconds_per_token + replica.step_seconds(replica.running.total())
        begins = replica.seconds_to_first_token
        begins += replica.seconds_per_prompt_token * (len(prompt) - cached)
        if asked.get("stream"):
            options: dict[str, Any] = asked.get("stream_options") or {}
            told = usage if options.get("include_usage") else None
            answer, tokens, why = await self._stream(request, about, parts, told, (begins, each))
        else:
            made = [part async for part in parts]
            tokens, why = sum(part.tokens for part in made), made[-1].why or _LEFT
            await self._passes(begins + each * tokens)
            message = {"role": "assistant", "content": "".join(part.text for part in made)}
            choice = {"index": 0, "message": message, "finish_reason": why}
            document = {**about, "object": "chat.completion", "choices": [choice]}
            answer = web.json_response({**document, "usage": usage(tokens)})
        first, seconds = begins + each, begins + each * tokens
        replica.counts.looked_up(len(prompt), cached)
        replica.counts.generated(waited + first, waited + seconds, (len(prompt), tokens), why)
        return answer

    async def _passes(self, seconds: float) -> None:
        """Let so much of the replica's time pass."""
        await asyncio.sleep(seconds / self.replica.speed)

    async def _stream(
        self,
        request: web.Request,
        about: Mapping[str, Any],
        parts: AsyncIterator[Part],
        usage: Callable[[int], Mapping[str, Any]] | None,
        times: tuple[float, float],
    ) -> tuple[web.StreamResponse, int, str]:
        """Send the parts as they come; return how many tokens they were, and why they ended."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        about = {**about, "object": "chat.completion.chunk"}
        begins, each = times
        tokens, why = 0, _LEFT
        try:
            async for part in parts:
                if not response.prepared:
                    await response.prepare(request)
                    await self._passes(begins)
                if part.text:
                    await self._passes(each)
                tokens, why = tokens + part.tokens, part.why or _LEFT
                delta = {"content": part.text} if part.text else {}
                choice = {"index": 0, "delta": delta, "finish_reason": part.why}
                await _event(response, {**about, "choices": [choice]})
            if usage is not None:
                await _event(response, {**about, "choices": [], "usage": usage(tokens)})
            await response.write(b"data: [DONE]\n\n")
        except ConnectionResetError:  # the client has left
            why = _LEFT
        except RefusedError:
            if not response.prepared or request.transport is None:
                raise
            request.transport.abort()
        return response, tokens, why


async def _event(response: web.StreamResponse, document: Mapping[str, Any]) -> None:
    await response.write(f"data: {json.dumps(document)}\n\n".encode())


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def model_server(replica: Replica, api: str = "/v1", guards: Sequence[Any] = ()) -> web.Application:
    """Return the HTTP API of a replica, behind middlewares; its OpenAI API is at the path `api`."""
    return _Server(replica, api, guards).application


class ModelServers:
    """Servers of replicas in one thread; they come and go."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._runners: dict[str, web.AppRunner] = {}

    def start(self, *replicas: Replica) -> None:
        """Serve these too. Raises OSError if an address is taken."""

        async def start() -> None:
            for each in replicas:
                runner = web.AppRunner(model_server(each), access_log=None, shutdown_timeout=0.1)
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
