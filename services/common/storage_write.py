"""StorageWriteSink: rows into BigQuery over the Storage Write API's default stream.

A row is committed when it is acknowledged, and can be queried at once. The default stream needs no
stream of its own to be made, and delivers at least once: a row that comes twice has the same id.
https://cloud.google.com/bigquery/docs/write-api-streaming
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from services.common.sink import Row, RowShape, SinkError

if TYPE_CHECKING:
    from google.cloud.bigquery_storage_v1 import types
    from google.cloud.bigquery_storage_v1.services.big_query_write import (
        BigQueryWriteAsyncClient,
    )

_log = logging.getLogger(__name__)

_LARGEST_BATCH = 500
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.1, 5.0


@dataclass
class _Pending:
    row: Row
    kept: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class StorageWriteSink:
    """Sends the rows that gather while a batch is under way as the next batch, on one connection.

    A broken connection is made again, with growing waits, until a row's time is over.
    """

    def __init__(self, shape: RowShape, table: str, endpoint: str, timeout_seconds: float) -> None:
        project, dataset, name = table.split(".")
        self._shape = shape
        self._stream = f"projects/{project}/datasets/{dataset}/tables/{name}/streams/_default"
        self._endpoint = endpoint
        self._timeout = timeout_seconds
        self._queue: asyncio.Queue[_Pending] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._connection: _Connection | None = None
        self._client: BigQueryWriteAsyncClient | None = None
        self._healthy = True

    @property
    def healthy(self) -> bool:
        """Whether the last batch was kept."""
        return self._healthy

    async def start(self) -> None:
        """Begin to send; the libraries load meanwhile."""
        self._sender = asyncio.create_task(self._send_all())

    async def write(self, row: Row) -> None:
        """Keep a row. Raises `SinkError` when it is not kept in time, or the table refuses it."""
        pending = _Pending(row)
        self._queue.put_nowait(pending)
        try:
            async with asyncio.timeout(self._timeout):
                await pending.kept
        except TimeoutError as problem:
            raise SinkError(f"no answer within {self._timeout:g} seconds") from problem

    async def close(self) -> None:
        """Close the connection."""
        if self._sender is not None:
            self._sender.cancel()
        self._disconnect()
        if self._client is not None:
            await self._client.transport.close()

    async def _send_all(self) -> None:
        await asyncio.to_thread(_load)
        wait = _FIRST_WAIT_SECONDS
        batch: list[_Pending] = []
        while True:
            batch = [one for one in batch if not one.kept.done()]
            if not batch:
                batch.append(await self._queue.get())
            while len(batch) < _LARGEST_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            batch = [one for one in batch if not one.kept.done()]
            if not batch:
                continue
            try:
                await self._send(batch)
                wait, self._healthy = _FIRST_WAIT_SECONDS, True
            except Exception as problem:
                self._disconnect()
                self._healthy = False
                _log.warning("rows not written, trying again: %s", problem)
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    async def _send(self, batch: list[_Pending]) -> None:
        if self._connection is None:
            self._connection = _Connection(
                await self._connected_client(), self._stream, self._shape
            )
        async with asyncio.timeout(self._timeout):
            refused = await self._connection.append([one.row for one in batch])
        for index, one in enumerate(batch):
            if one.kept.done():
                continue
            if index in refused:
                one.kept.set_exception(SinkError(f"the table refuses the row: {refused[index]}"))
            elif not refused:
                one.kept.set_result(None)
        # One refused row keeps the others of its batch out: the next turn sends those.

    async def _connected_client(self) -> "BigQueryWriteAsyncClient":
        if self._client is None:
            self._client = await (self._other_client() if self._endpoint else _google_client())
        return self._client

    async def _other_client(self) -> "BigQueryWriteAsyncClient":
        import grpc.aio
        from google.cloud.bigquery_storage_v1.services.big_query_write import (
            BigQueryWriteAsyncClient,
            transports,
        )

        channel = grpc.aio.insecure_channel(self._endpoint)
        return BigQueryWriteAsyncClient(
            transport=transports.BigQueryWriteGrpcAsyncIOTransport(channel=channel)
        )

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Connection:
    """One call of AppendRows: requests go out, answers come back in their order."""

    def __init__(self, client: "BigQueryWriteAsyncClient", stream: str, shape: RowShape) -> None:
        self._client = client
        self._stream = stream
        self._shape = shape
        self._requests: asyncio.Queue[types.AppendRowsRequest] = asyncio.Queue()
        self._call: Any = None

    async def append(self, rows: list[Row]) -> dict[int, str]:
        """Send a batch; return the refused rows' indices and reasons. None is kept if any is."""
        self._requests.put_nowait(self._request(rows, first=self._call is None))
        if self._call is None:
            call: Any = await self._client.append_rows(
                requests=self._outgoing(),
                metadata=(("x-goog-request-params", f"write_stream={self._stream}"),),
            )
            self._call = call
        response: Any = await self._call.read()
        if not hasattr(response, "row_errors"):
            raise SinkError("the connection was closed")
        refused = {int(error.index): str(error.message) for error in response.row_errors}
        if not refused and response.error.code:
            raise SinkError(f"{response.error.message} (code {response.error.code})")
        return refused

    def close(self) -> None:
        if self._call is not None:
            self._call.cancel()

    async def _outgoing(self) -> "AsyncIterator[types.AppendRowsRequest]":
        while True:
            yield await self._requests.get()

    def _request(self, rows: list[Row], *, first: bool) -> "types.AppendRowsRequest":
        from google.cloud.bigquery_storage_v1 import types

        from services.common.row_message import serialize, writer_schema

        proto = types.AppendRowsRequest.ProtoData(
            rows=types.ProtoRows(serialized_rows=[serialize(self._shape, row) for row in rows])
        )
        if first:
            proto.writer_schema = types.ProtoSchema(proto_descriptor=writer_schema(self._shape))
        return types.AppendRowsRequest(write_stream=self._stream, proto_rows=proto)


def _load() -> None:
    """Import the client, which takes longer than everything else the service does at its start."""
    import_module("google.cloud.bigquery_storage_v1.services.big_query_write")


async def _google_client() -> "BigQueryWriteAsyncClient":
    import google.auth
    from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient

    # Asks the metadata server, without giving way to others.
    credentials, _ = await asyncio.to_thread(cast("Any", google.auth).default)
    return BigQueryWriteAsyncClient(credentials=credentials)
