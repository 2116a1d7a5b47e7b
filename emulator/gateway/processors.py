"""Serves what screens requests and answers to Envoy, which asks by its protocol ext_proc.

https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ext_proc/v3/external_processor.proto
"""

import json
from collections.abc import AsyncIterator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import grpc

from catalog.conventions import MODEL_HEADER
from emulator.gateway.loops import Run, background_loop
from emulator.gateway.programs import LOOPBACK

_PROTOCOL: Final = "emulator/gateway/ext_proc.proto"
# Compiled messages have no types that a checker reads.
_messages, _services = cast("Any", grpc).protos_and_services(_PROTOCOL)
_CHUNK_BYTES: Final = 60_000
"""Envoy takes no longer piece of a body: 64 KiB."""
_CONTENT_TYPE: Final = {"key": "content-type", "raw_value": b"application/json"}


@dataclass(frozen=True)
class Refusal:
    """What a client gets in the place of what it asked for."""

    status: int
    document: Mapping[str, Any]
    why: str
    """A word for the access log."""


class Processor:
    """Sees a request and its answer, whole; lets both pass as they are."""

    name: str
    sees_answers = True
    hides: tuple[str, ...] = ()
    """Headers of the request that those behind do not get."""

    def request(self, headers: Mapping[str, str], body: bytes) -> bytes | Refusal:
        """Return the body to go on with."""
        del headers
        return body

    def answer(self, model: str, body: bytes) -> bytes | Refusal:
        """Return the body of the answer to a request for a model to go on with."""
        del model
        return body


@dataclass
class Served:
    """A processor that listens."""

    processor: Processor
    port: int
    _server: grpc.aio.Server
    _run: Run

    def stop(self) -> None:
        """Be away from now on."""
        self._run(self._server.stop(None))


@dataclass
class _Message:
    """A request or an answer that Envoy sends in pieces: in full duplex, so nothing of it goes on
    before this has it whole."""

    kind: str
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    trailers: bool = False


class _Servicer:
    def __init__(self, processor: Processor) -> None:
        self._processor = processor

    async def Process(  # noqa: N802 -- the protocol's name
        self, requests: AsyncIterator[Any], context: Any
    ) -> AsyncIterator[Any]:
        """Answer one request's stream."""
        del context
        message, model = _Message("request", {}), ""
        async for part in requests:
            kind, _, piece = str(part.WhichOneof("request")).partition("_")
            if piece == "headers":
                head = getattr(part, f"{kind}_headers")
                message = _Message(kind, _headers(head), whole=head.end_of_stream)
            elif piece == "body":
                body = getattr(part, f"{kind}_body")
                message.body += body.body
                message.whole = body.end_of_stream
            else:
                message.whole = message.trailers = True
            if not message.whole:
                continue
            if kind == "request":
                model = message.headers.get(MODEL_HEADER.lower(), "")
                decided = self._processor.request(message.headers, bytes(message.body))
            else:
                decided = self._processor.answer(model, bytes(message.body))
            for response in _said(message, decided, self._processor.hides):
                yield response


def _headers(head: Any) -> dict[str, str]:
    return {each.key: each.raw_value.decode(errors="replace") for each in head.headers.headers}


def _said(message: _Message, decided: bytes | Refusal, hides: Sequence[str]) -> Iterator[Any]:
    """Yield what Envoy is told of a message, in its own order: headers, body, trailers."""
    if isinstance(decided, Refusal):
        yield _messages.ProcessingResponse(
            immediate_response={
                "status": {"code": decided.status},
                "headers": {"set_headers": [{"header": _CONTENT_TYPE}]},
                "body": json.dumps(decided.document).encode(),
                "details": decided.why,
            }
        )
        return
    kind = message.kind
    # The length may be another.
    removed = ["content-length", *(hides if kind == "request" else ())]
    common = {"header_mutation": {"remove_headers": removed}}
    yield _messages.ProcessingResponse(**{f"{kind}_headers": {"response": common}})
    if message.body:
        pieces = [decided[at : at + _CHUNK_BYTES] for at in range(0, len(decided), _CHUNK_BYTES)]
        for piece in pieces:
            streamed = {
                "body": piece,
                "end_of_stream": piece is pieces[-1] and not message.trailers,
            }
            response = {"body_mutation": {"streamed_response": streamed}}
            yield _messages.ProcessingResponse(**{f"{kind}_body": {"response": response}})
    if message.trailers:
        yield _messages.ProcessingResponse(**{f"{kind}_trailers": {}})


@contextmanager
def processors(found: Sequence[Processor]) -> Generator[list[Served]]:
    """Serve all of them, each on a port of its own, until the context ends."""
    with background_loop() as run:

        async def start(processor: Processor) -> Served:
            server = grpc.aio.server()
            _services.add_ExternalProcessorServicer_to_server(_Servicer(processor), server)
            port = server.add_insecure_port(f"{LOOPBACK}:0")
            await server.start()
            return Served(processor, port, server, run)

        served: list[Served] = [run(start(each)) for each in found]
        try:
            yield served
        finally:
            for each in served:
                each.stop()
