"""A Storage Write API that keeps rows in memory and, if asked, as JSON lines in a file.

It speaks the real protocol for one method, AppendRows on default streams, and refuses what BigQuery
refuses: rows without their required fields, a JSON column that holds none. Without TLS: local only.

    python -m services.local.storage_write --port 9060 --rows rows.jsonl
"""

import argparse
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf.message import DecodeError

from services.common.row_message import message_class

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_STREAM = re.compile(r"(projects/[^/]+/datasets/[^/]+/tables/[^/]+)/streams/_default")
_JSON_COLUMNS = ("metadata", "output")


class AppendRows(ABC):
    """A server of AppendRows on default streams, that keeps the rows of a request or none."""

    def __init__(self, port: int = 0) -> None:
        self._server: Any = grpc.server(ThreadPoolExecutor(max_workers=32))
        request: Any = types.AppendRowsRequest
        response: Any = types.AppendRowsResponse
        append_rows: Any = self._append_rows  # the stubs have but one request for it
        handler: Any = grpc.stream_stream_rpc_method_handler(
            append_rows,
            request_deserializer=request.deserialize,
            response_serializer=response.serialize,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"AppendRows": handler}),)
        )
        self.port: int = self._server.add_insecure_port(f"127.0.0.1:{port}")

    @property
    def endpoint(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Cut all connections."""
        self._server.stop(grace=None).wait()

    def wait(self) -> None:
        """Wait until it is stopped."""
        self._server.wait_for_termination()

    @abstractmethod
    def check(self, table: str, context: Any) -> None:
        """End the call by the context where rows of the table aren't taken."""

    @abstractmethod
    def read(self, table: str, message: Any) -> dict[str, Any]:
        """Return a message as the row to keep. Raises ValueError for one that is refused."""

    @abstractmethod
    def keep(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Keep rows."""

    def _append_rows(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        row_class: Any = None
        for request in requests:
            found = _STREAM.fullmatch(request.write_stream)
            if found is None:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no stream {request.write_stream}")
                return
            self.check(found[1], context)
            schema = request.proto_rows.writer_schema.proto_descriptor
            if schema.field:
                row_class = message_class(schema)
            if row_class is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request has no schema")
            yield self._answer(found[1], row_class, request.proto_rows.rows.serialized_rows)

    def _answer(self, table: str, row_class: Any, serialized: Any) -> Any:
        rows: list[dict[str, Any]] = []
        refused: list[Any] = []
        for index, data in enumerate(serialized):
            try:
                rows.append(self.read(table, row_class.FromString(data)))
            except (DecodeError, ValueError) as problem:
                refused.append(
                    types.RowError(index=index, code="FIELDS_ERROR", message=str(problem))
                )
        if refused:
            return types.AppendRowsResponse(
                error={"code": 3, "message": "rows are wrong"}, row_errors=refused
            )
        self.keep(table, rows)
        return types.AppendRowsResponse(append_result={})


class LocalStorageWrite(AppendRows):
    """The server.

    While `failing` is true it answers UNAVAILABLE; while `flowing` is clear it doesn't answer, and
    `waiting` counts the requests that wait for it. It refuses the rows of `refused_ids`.
    """

    def __init__(self, rows_file: Path | None = None, port: int = 0) -> None:
        super().__init__(port)
        self.rows: list[dict[str, Any]] = []
        self.failing = False
        self.flowing = threading.Event()
        self.flowing.set()
        self.waiting = 0
        self.refused_ids: set[str] = set()
        self._rows_file = rows_file
        self._lock = threading.Lock()

    def stop(self) -> None:
        """Cut all connections, those that wait too."""
        self.flowing.set()
        super().stop()

    def check(self, table: str, context: Any) -> None:  # noqa: ARG002 -- one table
        """Wait, or fail, as it is told to."""
        self.waiting += 1
        self.flowing.wait()
        self.waiting -= 1
        if self.failing:
            context.abort(grpc.StatusCode.UNAVAILABLE, "the warehouse is made to fail")

    def read(self, table: str, message: Any) -> dict[str, Any]:  # noqa: ARG002 -- one table
        """Return the row, with its JSON read."""
        if not message.IsInitialized():
            raise ValueError(f"missing: {', '.join(message.FindInitializationErrors())}")
        row = {field.name: value for field, value in message.ListFields()}
        if row.get("message_id") in self.refused_ids:
            raise ValueError("the row is made to be refused")
        return {
            key: json.loads(value) if key in _JSON_COLUMNS else value for key, value in row.items()
        }

    def keep(self, table: str, rows: list[dict[str, Any]]) -> None:  # noqa: ARG002 -- one table
        """Keep rows in memory, and in the file if there is one."""
        with self._lock:
            self.rows += rows
            if self._rows_file is not None:
                with self._rows_file.open("a") as file:
                    file.writelines(f"{json.dumps(row)}\n" for row in rows)


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9060)
    parser.add_argument("--rows", type=Path)
    arguments = parser.parse_args()
    server = LocalStorageWrite(arguments.rows, arguments.port)
    server.start()
    print(f"Storage Write API on {server.endpoint}", flush=True)
    server.wait()


if __name__ == "__main__":
    main()
