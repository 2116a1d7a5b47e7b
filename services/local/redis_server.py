"""A Redis that keeps its keys in this process; with a password and TLS, if it is given them."""

import contextlib
import ssl
import threading
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Final, cast

from fakeredis import FakeRedis, FakeServer
from redis.connection import DefaultParser
from redis.exceptions import ResponseError

_AUTH, _HELLO = b"AUTH", b"HELLO"
# Clients know some errors by their first word, which the library turns into a class.
_PREFIXES: Final[dict[type[Exception], str]] = {
    each: prefix
    for prefix, each in DefaultParser.EXCEPTION_CLASSES.items()
    if isinstance(each, type)
}


class LocalRedis:
    """Serves from `start` to `stop`, in a thread.

    `certificate` is a PEM file with the key too, as `services.local.certificate` makes it.
    """

    def __init__(self, password: str = "", certificate: Path | None = None) -> None:
        self._server = _Server(password, certificate)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """redis://host:port, or rediss:// with TLS; without the password."""
        scheme = "redis" if self._server.tls is None else "rediss"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, password: str, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.password = password.encode()
        self.keys = FakeServer()
        self.tls: ssl.SSLContext | None = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Who leaves, or doesn't speak TLS, is no failure of ours.
        with contextlib.suppress(OSError):
            if self.tls is not None:
                request = self.tls.wrap_socket(request, server_side=True)
            with request:
                super().finish_request(request, client_address)


class _Handler(StreamRequestHandler):
    """One client: commands in, replies out, in the version of RESP the client asks for."""

    def handle(self) -> None:
        server = cast("_Server", self.server)
        client: Any = FakeRedis(server=server.keys, protocol=2)
        connection, version, known = client.connection_pool.get_connection(), 2, not server.password
        while fields := self._command():
            name, words = fields[0].upper(), [field.upper() for field in fields]
            if name in (_AUTH, _HELLO) and _AUTH in words:
                at = words.index(_AUTH)
                known = fields[-1 if name == _AUTH else at + 2] == server.password
                del fields[at : at + 3]
            if not known:
                reply = "WRONGPASS invalid password" if _AUTH in words else "NOAUTH log in first"
                self.wfile.write(f"-{reply}\r\n".encode())
            elif not fields:
                self.wfile.write(_encoded("OK", version))
            else:
                version = int(fields[1]) if name == _HELLO and len(fields) > 1 else version
                connection.send_command(*fields)
                try:
                    self.wfile.write(_encoded(connection.read_response(), version))
                except ResponseError as problem:
                    self.wfile.write(
                        f"-{_PREFIXES.get(type(problem), 'ERR')} {problem}\r\n".encode()
                    )
        connection.disconnect()

    def _command(self) -> list[bytes]:
        """Return the words of the next command; none when the client has left."""
        count = self.rfile.readline()[1:]
        fields: list[bytes] = []
        for _ in range(int(count or 0)):
            length = int(self.rfile.readline()[1:])
            fields.append(self.rfile.read(length + 2)[:-2])
        return fields


def _encoded(value: Any, version: int) -> bytes:
    """Return a reply in RESP, https://redis.io/docs/latest/develop/reference/protocol-spec/."""
    if value is None:
        return b"_\r\n" if version == 3 else b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, dict):
        mapped = cast("dict[Any, Any]", value)
        pairs = [item for pair in mapped.items() for item in pair]
        head = b"%%%d\r\n" % len(mapped) if version == 3 else b"*%d\r\n" % len(pairs)
        return head + b"".join(_encoded(each, version) for each in pairs)
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return b"*%d\r\n" % len(items) + b"".join(_encoded(each, version) for each in items)
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)
