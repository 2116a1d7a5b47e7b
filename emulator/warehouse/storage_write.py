"""The Storage Write API over the warehouse: AppendRows on default streams, over gRPC.

It serves one workload: who writes to its port writes as that workload's service account, and needs
the right to. Without TLS: on this machine only.
https://cloud.google.com/bigquery/docs/write-api
"""

from typing import Any

import grpc

from emulator.warehouse.columns import fitted
from emulator.warehouse.store import NoTableError, Warehouse
from sandbox.gcp.access import may
from sandbox.world import World
from services.local.storage_write import AppendRows

_PERMISSION = "bigquery.tables.updateData"


class StorageWriteApi(AppendRows):
    """The API for one workload, on a port of its own; started when made."""

    def __init__(self, world: World, warehouse: Warehouse, account: str, port: int = 0) -> None:
        super().__init__(port)
        self._world = world
        self._warehouse = warehouse
        self._account = account
        self.start()

    def check(self, table: str, context: Any) -> None:
        """Refuse an account without the right to write, and a table that isn't there."""
        dataset, project = table.partition("/tables/")[0], table.partition("/datasets/")[0]
        if not may(self._world, self._account, _PERMISSION, table, dataset, project):
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED,
                f"{self._account} has no {_PERMISSION} on {table}",
            )
        try:
            self._warehouse.columns(table)
        except NoTableError as problem:
            context.abort(grpc.StatusCode.NOT_FOUND, str(problem))

    def read(self, table: str, message: Any) -> dict[str, Any]:
        """Return the row as the table takes it. Raises RowError."""
        row = {field.name: value for field, value in message.ListFields()}
        return fitted(self._warehouse.columns(table), row)

    def keep(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Keep rows in the warehouse."""
        self._warehouse.append(table, rows)
