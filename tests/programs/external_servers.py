"""Servers outside the cluster, as they behave: Google's metadata server, and a Vertex AI."""

import json
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOOPBACK = "127.0.0.1"
TOKEN = "ya29.of-the-workload"  # noqa: S105
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105


@dataclass
class Seen:
    """What a server was asked."""

    path: str
    headers: dict[str, str]


@dataclass
class Server:
    """A running server and the requests it had."""

    port: int
    requests: list[Seen] = field(default_factory=list[Seen])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[Seen]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return

    def note(self) -> dict[str, str]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.rfile.read(int(headers.get("content-length", 0)))
        self.seen.append(Seen(self.path, headers))
        return headers

    def answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Metadata(_Handler):
    """Refuses what the real one refuses: a forwarded request, and one without its header.

    https://cloud.google.com/compute/docs/metadata/querying-metadata
    """

    def do_GET(self) -> None:
        headers = self.note()
        if "x-forwarded-for" in headers or headers.get("metadata-flavor") != "Google":
            self.answer(403, "Forbidden")
        elif self.path != TOKEN_PATH:
            self.answer(404, "Not Found")
        else:
            self.answer(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})


def vertex_ai(silence: threading.Event, silent_seconds: float) -> type[_Handler]:
    """Return a server that answers those with the token; once `silence` is set, after a while."""

    class VertexAi(_Handler):
        def do_POST(self) -> None:
            headers = self.note()
            if silence.is_set():
                threading.Event().wait(silent_seconds)
            known = headers.get("authorization") == f"Bearer {TOKEN}"
            self.answer(200 if known else 401, {"path": self.path})

    return VertexAi


@contextmanager
def serve(handler: type[_Handler], tls: ssl.SSLContext | None = None) -> Generator[Server]:
    """Run a server on a free port of the loopback."""
    seen: list[Seen] = []
    server = ThreadingHTTPServer((LOOPBACK, 0), type("Bound", (handler,), {"seen": seen}))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Server(server.server_address[1], seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
