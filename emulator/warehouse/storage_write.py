"""The Storage Write API over the warehouse: AppendRows on default streams, over gRPC.

It serves one workload: who writes to its port writes as that workload's service account, and needs
the right to. Without TLS: on this machine only.
https://cloud.google.com/bigquery/docs/write-api
"""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from emulator.warehouse.columns import RowError, fitted
from emulator.warehouse.store import NoTableError, Warehouse
from sandbox.access import may
from sandbox.world import World

_SERVICE = "google.cloud.bigquery.storage.v1.BigQueryWrite"
_STREAM = re.compile(r"((projects/[^/]+)(/datasets/[^/]+)/tables/[^/]+)/streams/_default")
_PERMISSION = "bigquery.tables.updateData"


class StorageWriteApi:
    """The API for one workload, on a port of its own; started when made."""

    def __init__(self, world: World, warehouse: Warehouse, account: str, port: int = 0) -> None:
        self._world = world
        self._warehouse = warehouse
        self._account = account
        self._server: Any = grpc.server(ThreadPoolExecutor(max_workers=16))
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
        self._server.start()

    @property
    def endpoint(self) -> str:
        """host:port"""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Cut all connections."""
        self._server.stop(grace=None).wait()

    def _append_rows(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        row_class: Any = None
        for request in requests:
            found = _STREAM.fullmatch(request.write_stream)
            if found is None:
                context.abort(grpc.StatusCode.NOT_FOUND, f"no stream {request.write_stream}")
                return
            table, project, dataset = found.groups()
            where = (table, f"{project}{dataset}", project)
            if not may(self._world, self._account, _PERMISSION, *where):
                context.abort(
                    grpc.StatusCode.PERMISSION_DENIED,
                    f"{self._account} has no {_PERMISSION} on {table}",
                )
            schema = request.proto_rows.writer_schema.proto_descriptor
            if schema.field:
                row_class = _message_class(schema)
            if row_class is None:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request has no schema")
            try:
                yield self._answer(table, row_class, request.proto_rows.rows.serialized_rows)
            except NoTableError as problem:
                context.abort(grpc.StatusCode.NOT_FOUND, str(problem))

    def _answer(self, table: str, row_class: Any, serialized: Any) -> Any:
        shape = self._warehouse.columns(table)
        rows: list[dict[str, Any]] = []
        refused: list[Any] = []
        for index, data in enumerate(serialized):
            try:
                message = row_class.FromString(data)
                row = {field.name: value for field, value in message.ListFields()}
                rows.append(fitted(shape, row))
            except (DecodeError, RowError) as problem:
                refused.append(
                    types.RowError(index=index, code="FIELDS_ERROR", message=str(problem))
                )
        if refused:
            return types.AppendRowsResponse(
                error={"code": 3, "message": "rows are wrong"}, row_errors=refused
            )
        self._warehouse.append(table, rows)
        return types.AppendRowsResponse(append_result={})


def _message_class(descriptor: Any) -> Any:
    file: Any = descriptor_pb2.FileDescriptorProto(
        name="row.proto", syntax="proto2", package="rows", message_type=[descriptor]
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"rows.{descriptor.name}"))
