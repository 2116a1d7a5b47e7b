"""BigQuery subscriptions: each message a row of a table.

https://cloud.google.com/pubsub/docs/bigquery
"""

import json
from typing import Any

from emulator.messages.broker import Broker, Delivery
from emulator.messages.cloud_storage_export import as_text, metadata
from emulator.messages.resources import service_agent
from emulator.messages.schemas import SchemaError, decode
from emulator.warehouse.columns import RowError
from emulator.warehouse.store import NoTableError, Warehouse, table_id
from sandbox.gcp.access import may
from sandbox.world import World


class BigQueryExport:
    """Writes deliveries of BigQuery subscriptions into the warehouse."""

    def __init__(self, world: World, warehouse: Warehouse) -> None:
        self._world = world
        self._warehouse = warehouse

    def write(self, broker: Broker, delivery: Delivery) -> str | None:
        """Write a row; return None when it is kept, else why not."""
        subscription = delivery.subscription
        config = subscription.bigquery or {}
        table = table_id(str(config["table"]))
        project = f"projects/{subscription.project}"
        given = config.get("serviceAccountEmail")
        writer = given or service_agent(self._world, subscription.project)
        dataset = table.partition("/tables/")[0]
        if not may(self._world, writer, "bigquery.tables.updateData", table, dataset, project):
            return f"{writer} has no bigquery.tables.updateData on {table}"
        try:
            row = self._row(broker, delivery, table)
            self._warehouse.append(table, [row])
        except (RowError, NoTableError, SchemaError, ValueError) as problem:
            return str(problem)
        return None

    def _row(self, broker: Broker, delivery: Delivery, table: str) -> dict[str, Any]:
        config = delivery.subscription.bigquery or {}
        message = delivery.message
        schema = broker.pipes.topics[message.topic].schema
        row: dict[str, Any] = {}
        if config.get("writeMetadata"):
            row = metadata(delivery.subscription.id, message)
            row["publish_time"] = int(message.published * 1_000_000)
            # The key is no column: it is among the attributes.
            key = {"ordering_key": message.ordering_key} if row.pop("ordering_key") else {}
            row["attributes"] = json.dumps({**row["attributes"], **key})
        if config.get("useTopicSchema") and schema is not None:
            row |= decode(schema, message.data)
        elif config.get("useTableSchema"):
            row |= json.loads(message.data)
        else:
            kinds = {column.name: column.type for column in self._warehouse.columns(table)}
            row["data"] = message.data if kinds.get("data") == "BYTES" else as_text(message.data)
        if config.get("dropUnknownFields"):
            known = {column.name.lower() for column in self._warehouse.columns(table)}
            row = {name: value for name, value in row.items() if name.lower() in known}
        return row
