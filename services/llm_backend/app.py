"""The HTTP side: chats on `/v1/chat`."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, StreamingResponse

from services.common.application import application
from services.common.bodies import require_json, validated
from services.common.departures import unless_gone
from services.common.errors import ServiceError
from services.common.observe import Noted, noted
from services.common.upstream import Upstream
from services.llm_backend.cache import Cache
from services.llm_backend.caller import caller_of, consumer_of
from services.llm_backend.exchange import Exchange, Listener
from services.llm_backend.messages import ChatReply, ChatRequest
from services.llm_backend.modes import build_prompt, detect_mode, mode_names
from services.llm_backend.rates import Rates
from services.llm_backend.request_log import RequestLog
from services.llm_backend.settings import Settings


class Backend:
    """Answers chats."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rates = Rates(settings)
        self._upstream = Upstream(settings, settings.max_concurrency)
        self.cache = Cache(settings)
        self.log = RequestLog(settings)

    async def chat(self, request: Request) -> Response:
        """Return the reply, whole or as a stream. Raises `ServiceError`."""
        note = noted(request)
        caller = caller_of(request)
        note.fields["caller"] = caller
        require_json(request.headers)
        chat = self._read(await request.body())
        mode = detect_mode(chat)
        model = chat.model or self._settings.llm_model
        note.fields |= {"mode": mode.name, "model": model, "stream": chat.stream}
        await self._rates.check(caller)
        prompt = build_prompt(chat, mode, model, self._settings.max_history)
        exchange = Exchange(
            model,
            consumer_of(request),
            json.dumps(prompt["messages"], ensure_ascii=False),
            {"mode": mode.name, "stream": chat.stream},
        )
        try:
            if chat.stream:
                return await self._stream(prompt, mode.name, note, exchange)
            reply = await self._reply(prompt, mode.name, request)
        except (ServiceError, ClientDisconnect) as error:
            exchange.about["error"] = getattr(error, "category", "client_gone")
            await self.log.keep(exchange)
            raise
        exchange.response, exchange.finish_reason = reply.reply, reply.finish_reason
        exchange.usage = {} if reply.cached else reply.usage
        exchange.about["cached"] = reply.cached
        await self.log.keep(exchange)
        return JSONResponse(reply.model_dump())

    async def close(self) -> None:
        """Close the connections."""
        await self.log.close()
        await self._upstream.close()
        await self.cache.close()

    def _read(self, body: bytes) -> ChatRequest:
        chat = validated(ChatRequest, body, 422, "malformed_request")
        longest = max(len(chat.message), *(len(turn.content) for turn in chat.history), 0)
        most = self._settings.max_message_characters
        if longest > most:
            raise ServiceError(
                422, "message_too_long", f"found {longest} characters, allowed: up to {most}"
            )
        if chat.mode is not None and chat.mode not in mode_names():
            raise ServiceError(
                422, "unknown_mode", f"found {chat.mode!r}, allowed: {', '.join(mode_names())}"
            )
        models = self._settings.models
        if chat.model is not None and chat.model not in models:
            raise ServiceError(
                422, "unknown_model", f"found {chat.model!r}, allowed: {', '.join(models)}"
            )
        return chat

    async def _reply(self, prompt: dict[str, Any], mode: str, request: Request) -> ChatReply:
        note = noted(request)
        kept = await self.cache.get(prompt)
        note.fields["cached"] = kept is not None
        if kept is not None:
            return kept.model_copy(update={"cached": True})
        started = time.perf_counter()
        completion = await unless_gone(request, self._upstream.complete(prompt))
        note.fields["model_ms"] = round((time.perf_counter() - started) * 1000, 2)
        choice = completion.choices[0]
        reply = ChatReply(
            mode=mode,
            model=completion.model or prompt["model"],
            reply=choice.message.content or "",
            finish_reason=choice.finish_reason,
            usage=completion.tokens,
        )
        note.fields["usage"] = reply.usage
        await self.cache.put(prompt, reply)
        return reply

    async def _stream(
        self, prompt: dict[str, Any], mode: str, note: Noted, exchange: Exchange
    ) -> Response:
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(self._upstream.stream(prompt))
            # From here on the response closes the stream, however it ends.
            held = stack.pop_all()
        return StreamingResponse(
            self._passed_through(events, held, note, exchange),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no", "x-mode": mode},
        )

    async def _passed_through(
        self,
        events: AsyncIterator[bytes],
        held: AsyncExitStack,
        note: Noted,
        exchange: Exchange,
    ) -> AsyncIterator[bytes]:
        """Pass events on; an error after the first of them becomes the last event."""
        started = time.perf_counter()
        note.category = "client_gone"  # unless the end is reached
        listener = None if self.log.state == "off" else Listener(exchange)
        try:
            async with held:
                try:
                    async for data in events:
                        note.fields.setdefault(
                            "first_byte_ms", round((time.perf_counter() - started) * 1000, 2)
                        )
                        if listener is not None:
                            listener.take(data)
                        yield data
                    note.category = None
                except ServiceError as error:
                    note.category = error.category
                    note.fields["error"] = error.message
                    said = {"error": {"category": error.category, "message": error.message}}
                    yield f"event: error\ndata: {json.dumps(said)}\n\n".encode()
        finally:
            if note.category is None:
                await self.log.keep(exchange)
            else:
                exchange.about["error"] = note.category
                # Who leaves cancels what waits here, but not what has begun.
                self.log.begin(exchange)


def build(settings: Settings) -> FastAPI:
    """Make the application."""
    backend = Backend(settings)
    app = application(
        "LLM backend",
        state=lambda: {"cache": backend.cache.state, "log": backend.log.state},
        start=backend.log.start,
        stop=backend.close,
    )
    app.add_api_route("/v1/chat", backend.chat, methods=["POST"], response_model=None)
    return app
