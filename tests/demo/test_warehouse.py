"""Tables take the rows that fit them, from those who may write."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.messages.bigquery_export import BigQueryExport
from emulator.messages.broker import Broker, Delivery
from emulator.messages.publishing import Draft
from emulator.messages.schemas import encode
from emulator.warehouse.columns import RowError, columns, fitted
from emulator.warehouse.store import TABLE, NoTableError, Warehouse, table_id
from sandbox.world import World
from tests.demo.worlds import AGENT, MAIN, add, add_schema, add_subscription, grant

WRITER = "gcp:bigquery/iamMember:IamMember"
RAW = "projects/acme/datasets/lake/tables/raw"
SCHEMA = """[
  {"name": "message_id", "type": "STRING", "mode": "REQUIRED"},
  {"name": "publish_time", "type": "TIMESTAMP", "mode": "REQUIRED"},
  {"name": "subscription_name", "type": "STRING"},
  {"name": "attributes", "type": "JSON"},
  {"name": "data", "type": "STRING"}]"""


def one(type_: str, value: Any, mode: str = "NULLABLE") -> Any:
    return fitted(columns([{"name": "x", "type": type_, "mode": mode}]), {"x": value})["x"]


@pytest.mark.parametrize(
    ("type_", "value", "kept"),
    [
        ("STRING", "a", "a"),
        ("BYTES", b"a", "YQ=="),
        ("INTEGER", 7, 7),
        ("INT64", "7", 7),
        ("FLOAT", 1, 1.0),
        ("NUMERIC", "1.123456789", "1.123456789"),
        ("BOOLEAN", "true", True),
        ("TIMESTAMP", 1_000_000, "1970-01-01T00:00:01.000000Z"),
        ("TIMESTAMP", "2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000000Z"),
        ("DATE", 1, "1970-01-02"),
        ("TIME", "03:04:05", "03:04:05"),
        ("DATETIME", "2026-01-02T03:04:05", "2026-01-02T03:04:05"),
        ("JSON", '{"a": 1}', {"a": 1}),
        ("GEOGRAPHY", "POINT(1 2)", "POINT(1 2)"),
    ],
)
def test_a_value_of_the_columns_type_is_kept(type_: str, value: Any, kept: Any) -> None:
    assert one(type_, value) == kept


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("STRING", 1),
        ("BYTES", "%"),
        ("INTEGER", "1.5"),
        ("INTEGER", 1.5),
        ("INTEGER", 2**63),
        ("INTEGER", True),
        ("FLOAT", "x"),
        ("NUMERIC", "0.0000000001"),
        ("BOOLEAN", 1),
        ("TIMESTAMP", "yesterday"),
        ("DATE", "2026-13-01"),
        ("DATETIME", "2026-01-02T03:04:05Z"),
        ("JSON", "{"),
        ("GEOGRAPHY", "here"),
        ("INTERVAL", "1"),
    ],
)
def test_another_value_is_refused_and_its_column_named(type_: str, value: Any) -> None:
    with pytest.raises(RowError, match="x: "):
        one(type_, value)


def test_modes_and_records_are_kept_to() -> None:
    assert one("STRING", None) is None
    assert one("STRING", None, "REPEATED") == []
    assert one("STRING", ["a"], "REPEATED") == ["a"]
    with pytest.raises(RowError, match="x: nothing found, and it is REQUIRED"):
        one("STRING", None, "REQUIRED")
    with pytest.raises(RowError, match="allowed: a list"):
        one("STRING", "a", "REPEATED")
    inner = [{"name": "y", "type": "INTEGER"}]
    shape = columns([{"name": "x", "type": "STRUCT", "mode": "REPEATED", "fields": inner}])
    assert fitted(shape, {"x": [{"y": 1}]}) == {"x": [{"y": 1}]}
    with pytest.raises(RowError, match=r"x\[0\].y: "):
        fitted(shape, {"x": [{"y": "many"}]})
    with pytest.raises(RowError, match="z: no such column"):
        fitted(shape, {"z": 1})


@given(st.integers())
def test_every_integer_is_kept_whole_or_refused(number: int) -> None:
    try:
        assert one("INTEGER", number) == number
    except RowError:
        assert not -(2**63) <= number < 2**63


@pytest.fixture
def warehouse(world: World, tmp_path: Path) -> Iterator[Warehouse]:
    add(world, TABLE, RAW, schema=SCHEMA)
    opened = Warehouse(world, tmp_path / "warehouse.db")
    yield opened
    opened.close()


def test_rows_are_kept_all_or_none_and_can_be_queried(warehouse: Warehouse, tmp_path: Path) -> None:
    row = {"message_id": "1", "publish_time": 0}
    with pytest.raises(RowError):
        warehouse.append(RAW, [row, {"message_id": "2"}])
    assert warehouse.rows(RAW) == []
    warehouse.append(RAW, [row])
    with sqlite3.connect(tmp_path / "warehouse.db") as connection:
        found = connection.execute('SELECT message_id, data FROM "lake.raw"').fetchall()
    connection.close()
    assert found == [("1", None)]
    with pytest.raises(NoTableError):
        warehouse.append(f"{RAW}2", [row])


def test_a_view_answers_with_what_its_query_makes_of_the_rows(
    world: World, warehouse: Warehouse, tmp_path: Path
) -> None:
    days, told, other = (RAW.replace("raw", name) for name in ("days", "told", "other"))
    grouped = "SELECT DATE(publish_time) AS day, COUNT(*) AS n FROM `acme.lake.raw` GROUP BY day"
    add(world, TABLE, days, materializedView={"query": grouped})
    add(world, TABLE, told, view={"query": "SELECT n FROM `acme.lake.days`"})
    add(world, TABLE, other, view={"query": "SELECT * EXCEPT (data) FROM `acme.lake.raw`"})
    again = Warehouse(world, tmp_path / "warehouse.db")
    for number, moment in enumerate((0, 1, 86_400)):
        again.append(RAW, [{"message_id": str(number), "publish_time": moment * 1_000_000}])
    assert again.answer(days) == [{"day": "1970-01-01", "n": 2}, {"day": "1970-01-02", "n": 1}]
    assert again.answer(told) == [{"n": 2}, {"n": 1}]
    with pytest.raises(sqlite3.Error):  # what SQLite can't read is no answer, and stops nothing
        again.answer(other)
    again.close()


def test_a_table_is_named_with_a_dot_or_a_colon_after_the_project() -> None:
    assert table_id("acme.lake.raw") == table_id("acme:lake.raw") == RAW


def export(world: World, broker: Broker, warehouse: Warehouse, **config: Any) -> list[str | None]:
    """Write what is due on a new BigQuery subscription; return what came of each message."""
    name = add_subscription(
        world, "rows", MAIN, bigqueryConfig={"table": "acme.lake.raw", **config}
    )
    own = Broker(world, broker.store, broker.clock)
    own.publish(MAIN, [Draft(b"hello", {"color": "red"})])
    leased: list[Delivery] = own.lease(own.pipes.subscriptions[name], 10)
    exporter = BigQueryExport(world, warehouse)
    return [exporter.write(own, delivery) for delivery in leased]


def test_a_bigquery_subscription_writes_rows_as_the_service_agent_may(
    world: World, warehouse: Warehouse, open_broker: Callable[[], Broker]
) -> None:
    broker = open_broker()
    (refused,) = export(world, broker, warehouse, writeMetadata=True)
    assert refused == f"{AGENT} has no bigquery.tables.updateData on {RAW}"
    grant(world, WRITER, RAW, "roles/bigquery.dataEditor", AGENT, datasetId="lake", tableId="raw")
    assert export(world, broker, warehouse, writeMetadata=True) == [None]
    (row,) = warehouse.rows(RAW)
    assert row["data"] == "hello"
    assert row["attributes"] == {"color": "red"}
    assert row["message_id"] == "2"


def test_a_message_the_table_refuses_fails_with_the_column_named(
    world: World, warehouse: Warehouse, open_broker: Callable[[], Broker]
) -> None:
    grant(world, WRITER, RAW, "roles/bigquery.dataEditor", AGENT, datasetId="lake", tableId="raw")
    (problem,) = export(world, open_broker(), warehouse)
    assert problem == "message_id: nothing found, and it is REQUIRED"


ORDER = """syntax = "proto3"; message Order {
  enum Size { SMALL = 0; LARGE = 1; }
  string id = 1; Size size = 2; repeated uint64 numbers = 3; string note = 4;
}"""
COLUMNS = """[{"name": "message_id", "type": "STRING"},
  {"name": "subscription_name", "type": "STRING"},
  {"name": "publish_time", "type": "TIMESTAMP"}, {"name": "attributes", "type": "JSON"},
  {"name": "id", "type": "STRING"}, {"name": "size", "type": "INTEGER"},
  {"name": "numbers", "type": "NUMERIC", "mode": "REPEATED"}]"""


@pytest.mark.parametrize("encoding", ["JSON", "BINARY"])
def test_fields_of_the_topics_schema_are_columns_and_unknown_ones_are_dropped_if_asked(
    world: World,
    warehouse: Warehouse,
    open_broker: Callable[[], Broker],
    encoding: str,
) -> None:
    topic = add_schema(world, ORDER, "PROTOCOL_BUFFER", encoding)
    table = "projects/acme/datasets/lake/tables/orders"
    add(world, TABLE, table, schema=COLUMNS)
    on = {"datasetId": "lake", "tableId": "orders"}
    grant(world, WRITER, table, "roles/bigquery.dataEditor", AGENT, **on)
    config = {"table": "acme.lake.orders", "useTopicSchema": True, "writeMetadata": True}
    strict = add_subscription(world, "strict", topic, bigqueryConfig=config)
    dropping = {**config, "dropUnknownFields": True}
    tolerant = add_subscription(world, "tolerant", topic, bigqueryConfig=dropping)
    broker, exporter = open_broker(), BigQueryExport(world, warehouse)
    schema = broker.pipes.topics[topic].schema
    assert schema is not None
    order = {"id": "a", "size": "LARGE", "numbers": ["1", str(2**64 - 1)], "note": "soon"}
    broker.publish(topic, [Draft(encode(schema, order), {"color": "red"}, ordering_key="k")])

    def written(name: str) -> str | None:
        (delivery,) = broker.lease(broker.pipes.subscriptions[name], 10)
        return exporter.write(broker, delivery)

    assert written(strict) == "note: no such column"
    assert written(tolerant) is None
    (row,) = warehouse.rows(table)
    assert (row["id"], row["size"], row["numbers"]) == ("a", 1, ["1", str(2**64 - 1)])
    assert row["attributes"]["color"] == "red"
    assert row["attributes"]["ordering_key"] == "k"
    assert row["subscription_name"] == tolerant
