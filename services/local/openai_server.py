"""A deterministic OpenAI-compatible server: no model, the same answer to the same request.

It repeats the user's last message, says so, and counts words as tokens. Commands in that message
make it misbehave: `[[fail 503 2]]` answers 503 twice before it serves that message, `[[delay 1.5]]`
waits before it answers, `[[pause 0.5]]` between the pieces of a stream, `[[drop 2]]` cuts a stream
after two pieces, `[[unended]]` ends one without its last event, `[[garbage]]` answers no completion
and `[[odd]]` one of another shape.

    python -m services.local.openai_server --port 9070
"""

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

FINGERPRINT = "local-deterministic"
CREATED = 1_700_000_000
_COMMAND = re.compile(r"\[\[(\w+)((?: [\d.]+)*)\]\]")


class LocalOpenAI:
    """The server's application; `requests` are the bodies it got, `headers` what came with them."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._failed: Counter[str] = Counter()
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/models", self._models),
            ]
        )

    async def _models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": FINGERPRINT, "object": "model"}]})

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        self.headers.append(dict(request.headers))
        message = str(body["messages"][-1]["content"])
        commands = {name: rest.split() for name, rest in _COMMAND.findall(message)}
        if "delay" in commands:
            await asyncio.sleep(float(commands["delay"][0]))
        if "fail" in commands:
            status, times = map(int, commands["fail"])
            self._failed[message] += 1
            if self._failed[message] <= times:
                return JSONResponse({"error": {"message": "made to fail"}}, status)
        if "garbage" in commands:
            return Response("no completion")
        if "odd" in commands:
            return JSONResponse({"choices": [{"message": {"content": ["no", "text"]}}]})
        reply = f"This is a local stand-in, not a model. You said: {message}"
        if body.get("stream"):
            return StreamingResponse(
                self._events(body, reply, commands), media_type="text/event-stream"
            )
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": reply},
            "finish_reason": "stop",
        }
        return JSONResponse(
            {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(body, reply)}
        )

    async def _events(
        self, body: dict[str, Any], reply: str, commands: dict[str, list[str]]
    ) -> AsyncIterator[str]:
        pause = float(commands["pause"][0]) if "pause" in commands else 0.0
        drop = int(commands["drop"][0]) if "drop" in commands else None
        head = _head(body, "chat.completion.chunk")
        for number, word in enumerate(reply.split(" ")):
            if number == drop:
                raise ConnectionAbortedError("made to cut the stream")
            delta = {"content": word if number == 0 else f" {word}"}
            choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None}
            yield f"data: {json.dumps({**head, 'choices': [choice]})}\n\n"
            await asyncio.sleep(pause)
        end: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": "stop"}
        yield f"data: {json.dumps({**head, 'choices': [end]})}\n\n"
        if (body.get("stream_options") or {}).get("include_usage"):
            last: dict[str, Any] = {**head, "choices": [], "usage": _usage(body, reply)}
            yield f"data: {json.dumps(last)}\n\n"
        if "unended" not in commands:
            yield "data: [DONE]\n\n"


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-local",
        "object": kind,
        "created": CREATED,
        "model": body.get("model", FINGERPRINT),
        "system_fingerprint": FINGERPRINT,
    }


def _usage(body: dict[str, Any], reply: str) -> dict[str, int]:
    prompt = sum(len(str(message["content"]).split()) for message in body["messages"])
    completion = len(reply.split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9070)
    uvicorn.run(LocalOpenAI().app, host="127.0.0.1", port=parser.parse_args().port)


if __name__ == "__main__":
    main()
