"""A Redis that keeps its keys in this process; with a password and TLS, if it is given them."""

import contextlib
import errno
import ssl
import threading
from pathlib import Path
from typing import Any, cast

from fakeredis import TcpFakeServer
from fakeredis._clients._tcp_server import TCPFakeRequestHandler
from fakeredis._helpers import SimpleError
from redis.exceptions import ResponseError

_AUTH, _HELLO = b"AUTH", b"HELLO"


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
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sslsocket_class = _WaitingSocket
    return context


class _Server(TcpFakeServer):
    def __init__(self, password: str, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), server_type="redis")
        self.RequestHandlerClass = _Handler
        self.password = password.encode()
        self.tls = None if certificate is None else _context(certificate)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Who leaves, or doesn't speak TLS, is no failure of ours.
        with contextlib.suppress(OSError):
            super().finish_request(request, client_address)


class _WaitingSocket(ssl.SSLSocket):
    """Says that there is nothing to read yet as sockets without TLS do."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        try:
            return super().recv_into(*args, **kwargs)
        except ssl.SSLWantReadError as problem:
            raise BlockingIOError(errno.EAGAIN, "nothing to read") from problem


class _Handler(TCPFakeRequestHandler):
    """Hangs up after no error reply, which fakeredis's own does, unlike Redis. Asks for the
    password before anything else, which fakeredis's own doesn't."""

    def setup(self) -> None:
        server, this = cast("Any", self.server), cast("Any", self)
        if server.tls is not None:
            this.request.settimeout(5)  # for the handshake
            this.request = server.tls.wrap_socket(this.request, server_side=True)
            this.request.settimeout(0)
        super().setup()
        connection = cast("Any", self.current_client)
        read = connection.read_response

        def read_response() -> Any:
            try:
                return read()
            except ResponseError as problem:
                return problem

        connection.read_response = read_response
        if server.password:
            _guard(connection.get_socket(), server.password)

    def finish(self) -> None:
        super().finish()
        cast("Any", self).request.close()


def _guard(connection: Any, password: bytes) -> None:
    """Lets a connection do nothing before it has shown the password, by AUTH or in HELLO."""
    run, known = connection._process_command, False

    def process(fields: list[bytes]) -> None:
        nonlocal known
        command = fields[0].upper() if fields else b""
        words = [field.upper() for field in fields]
        if command == _AUTH or (command == _HELLO and _AUTH in words):
            given = words.index(_AUTH) + (2 if command == _HELLO else len(fields) - 2)
            known = fields[-1 if command == _AUTH else given] == password
            if not known:
                connection.put_response(SimpleError("WRONGPASS invalid password"))
            elif command == _AUTH:
                connection.put_response(b"OK")
            else:
                run([*fields[: given - 2], *fields[given + 1 :]])
        elif known:
            run(fields)
        else:
            connection.put_response(SimpleError("NOAUTH Authentication required."))

    connection._process_command = process
