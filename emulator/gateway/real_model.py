"""A small real model whose answers simulated servers give, one process for all of them.

It stands in for each of their models: text and tokens are its own. llama.cpp's server runs it:
https://github.com/ggml-org/llama.cpp/tree/master/tools/server.
"""

import json
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from emulator.gateway.answers import Asked, Part, RefusedError, limit
from emulator.gateway.programs import ENGINE, LOOPBACK, ROOT, Program, says_ok
from emulator.ports import free_ports

NAME: Final = "SmolLM2-135M-Instruct"
PYTHON: Final = ENGINE / "smollm2" / "bin" / "python"
CONTEXT_TOKENS: Final = 8192
MOST_TOKENS: Final = 256
"""Of an answer: so small a model may repeat itself until its context is full."""
_SERVE: Final = ROOT / "tools" / "pip" / "smollm2" / "serve.py"
_START_SECONDS: Final = 120.0
_PASSED_ON: Final = (
    *("messages", "temperature", "top_p", "seed", "stop", "response_format"),
    *("frequency_penalty", "presence_penalty"),
)
# https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct has these in its example.
_SAMPLING: Final = {"temperature": 0.2, "top_p": 0.9}
_DATA: Final = b"data: {"


def installed() -> bool:
    """Return whether it can be run here."""
    return PYTHON.exists()


@dataclass(frozen=True)
class RealModel:
    """The running model."""

    program: Program
    _url: str
    name: str = NAME

    async def prompt(self, asked: Asked) -> Sequence[str]:
        """Return the tokens of what is asked, by the model's own tokenizer."""
        async with self._post("/apply-template", {"messages": asked["messages"]}) as answer:
            text = (await answer.json())["prompt"]
        async with self._post("/tokenize", {"content": text}) as answer:
            return list(map(str, (await answer.json())["tokens"]))

    def most(self, asked: Asked) -> int:
        """Return how many tokens it answers."""
        return min(limit(asked) or MOST_TOKENS, MOST_TOKENS)

    async def parts(self, asked: Asked) -> AsyncGenerator[Part]:
        """Yield the answer as the model makes it; when nobody wants more, it stops."""
        body = {
            **_SAMPLING,
            **{name: asked[name] for name in _PASSED_ON if name in asked},
            "max_tokens": self.most(asked),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        told, why = 0, "stop"
        async with self._post("/v1/chat/completions", body) as answer:
            async for line in answer.content:
                if not line.startswith(_DATA):
                    continue
                event = json.loads(line.removeprefix(b"data: "))
                for choice in event["choices"]:
                    why = choice["finish_reason"] or why
                    if text := choice["delta"].get("content"):
                        told += 1
                        yield Part(text)
                if "usage" in event:
                    # A token that ends the answer, or is a part of a letter, has no text.
                    yield Part(tokens=event["usage"]["completion_tokens"] - told, why=why)

    @asynccontextmanager
    async def _post(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[ClientResponse]:
        try:
            # It takes as long as it takes.
            async with (
                ClientSession(timeout=ClientTimeout(total=None)) as session,
                session.post(f"{self._url}{path}", json=body) as answer,
            ):
                if answer.status != HTTPStatus.OK:
                    raise RefusedError(answer.status, (await answer.json())["error"]["message"])
                yield answer
        except ClientError as problem:
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, f"{NAME} is away") from problem


@contextmanager
def real_model(folder: Path) -> Generator[RealModel]:
    """Run it, with its log in a folder. Raises ProgramError if it doesn't become ready."""
    (port,) = free_ports(1)
    with ExitStack() as running:
        command = [PYTHON, _SERVE, str(port), str(CONTEXT_TOKENS)]
        program = Program(running, folder / f"{NAME}.log", command)
        program.wait_until(lambda: says_ok(port, "/health"), _START_SECONDS)
        yield RealModel(program, f"http://{LOOPBACK}:{port}")
