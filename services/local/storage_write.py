"""A Storage Write API that keeps rows in memory and, if asked, as JSON lines in a file.

It speaks the real protocol for one method, AppendRows on default streams, and refuses what BigQuery
refuses: rows without their required fields, a JSON column that holds none. Without TLS: local only.

    python -m services.local.storage_write --port 9060 --rows rows.jsonl
"""

import argparse
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf.message import DecodeError

from services.sentiment_analyzer.row_message import message_class

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_STREAM = re.compile(r"projects/[^/]+/datasets/[^/]+/tables/[^/]+/streams/_default")
_JSON_COLUMNS = ("output",)


class LocalStorageWrite:
    """The server.

    While `failing` is true it answers UNAVAILABLE; while `flowing` is clear it doesn't answer, and
    `waiting` counts the requests that wait for it. It refuses the rows of `refused_ids`.
    """

    def __init__(self, rows_file: Path | None = None, port: int = 0) -> None:
        self.rows: list[dict[str, Any]] = []
        self.failing = False
        self.flowing = threading.Event()
        self.flowing.set()
        self.waiting = 0
        self.refused_ids: set[str] = set()
        self._rows_file = rows_file
        self._lock = threading.Lock()
        self._server: Any = grpc.server(ThreadPoolExecutor(max_workers=32))
        request: Any = types.AppendRowsRequest
        response: Any = types.AppendRowsResponse
        handler: Any = grpc.stream_stream_rpc_method_handler(
            self._append_rows,
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
        self.flowing.set()
        self._server.stop(grace=None).wait()

    def wait(self) -> None:
        """Wait until it is stopped."""
        self._server.wait_for_termination()

    def _append_rows(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        row_class: Any = None
        for request in requests:
            self.waiting += 1
            self.flowing.wait()
            self.waiting -= 1
            if self.failing:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the warehouse is made to fail")
            if not _STREAM.fullmatch(request.write_stream):
                context.abort(grpc.StatusCode.NOT_FOUND, f"no stream {request.write_stream}")
            schema = request.proto_rows.writer_schema.proto_descriptor
            if schema.field:
                row_class = message_class(schema)
            if row_class is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request has no schema")
            yield self._answer(row_class, request.proto_rows.rows.serialized_rows)

    def _answer(self, row_class: Any, serialized: Any) -> Any:
        rows: list[dict[str, Any]] = []
        errors: list[Any] = []
        for index, data in enumerate(serialized):
            try:
                row = _row(row_class, data)
                if row["message_id"] in self.refused_ids:
                    raise ValueError("the row is made to be refused")
                rows.append(row)
            except (DecodeError, ValueError) as problem:
                errors.append(
                    types.RowError(index=index, code="FIELDS_ERROR", message=str(problem))
                )
        if errors:
            return types.AppendRowsResponse(
                error={"code": 3, "message": "rows are wrong"}, row_errors=errors
            )
        with self._lock:
            self.rows += rows
            if self._rows_file is not None:
                with self._rows_file.open("a") as file:
                    file.writelines(f"{json.dumps(row)}\n" for row in rows)
        return types.AppendRowsResponse(append_result={})


def _row(row_class: Any, data: bytes) -> dict[str, Any]:
    message = row_class.FromString(data)
    if not message.IsInitialized():
        raise ValueError(f"missing: {', '.join(message.FindInitializationErrors())}")
    row = {field.name: value for field, value in message.ListFields()}
    return {key: json.loads(value) if key in _JSON_COLUMNS else value for key, value in row.items()}


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
