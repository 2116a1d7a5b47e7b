"""A Redis that keeps its keys in this process."""

import threading
from typing import Any, cast

from fakeredis import TcpFakeServer
from fakeredis._clients._tcp_server import TCPFakeRequestHandler
from redis.exceptions import ResponseError


class LocalRedis:
    """Serves from `start` to `stop`, in a thread."""

    def __init__(self) -> None:
        self._server = cast("Any", TcpFakeServer)(("127.0.0.1", 0), server_type="redis")
        self._server.RequestHandlerClass = _Handler
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """redis://host:port"""
        return f"redis://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(TCPFakeRequestHandler):
    """Hangs up after no error reply, which fakeredis's own does, unlike Redis."""

    def setup(self) -> None:
        super().setup()
        connection = cast("Any", self.current_client)
        read = connection.read_response

        def read_response() -> Any:
            try:
                return read()
            except ResponseError as problem:
                return problem

        connection.read_response = read_response
