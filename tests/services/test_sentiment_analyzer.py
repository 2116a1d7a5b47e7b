import asyncio
import threading
import time
from typing import Any

import httpx
import pytest

from catalog.limits.bigquery import RESULTS
from services.local.storage_write import LocalStorageWrite
from services.sentiment_analyzer.model import MODEL_VERSION
from services.sentiment_analyzer.results import SHAPE
from tests.services.conftest import Start
from tests.services.deliveries import (
    acknowledged,
    avro_binary,
    avro_json,
    deliver_all,
    envelope,
)

Json = dict[str, Any]


def test_a_message_becomes_a_row_of_the_platforms_table(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer()
    answers = [
        client.post(service.url, json=envelope(b"I love it", "plain")),
        client.post(service.url, json=envelope(b'{"text": "I hate it"}', "json")),
        client.post(service.url, json=avro_json("It is awful", "avro-json")),
        client.post(
            service.url, json=avro_binary("A table \N{SMILING FACE WITH OPEN MOUTH}", "avro-binary")
        ),
    ]
    assert [answer.status_code for answer in answers] == [204] * 4
    rows = {row["message_id"]: row for row in warehouse.rows}
    labels = {key: row["output"]["label"] for key, row in rows.items()}
    assert labels == {
        "plain": "positive",
        "json": "negative",
        "avro-json": "negative",
        "avro-binary": "positive",  # by its emoji
    }
    row = rows["avro-json"]
    assert row["model"] == MODEL_VERSION
    assert row["output"]["review_id"] == "review-avro-json"
    assert row["output"]["published_at"].startswith("2026-01-02T03:04:05.678")
    assert row["output"]["score"] < 0
    assert row["input"].startswith("sha256:")
    assert abs(row["processed_at"] / 1e6 - time.time()) < 600
    line = service.wait_for_log(message_id="avro-json")
    assert line["httpRequest"]["status"] == 204
    assert line["delivery_attempt"] == 1


def test_rows_have_the_columns_of_the_table_the_platform_makes() -> None:
    assert tuple(column["name"] for column in RESULTS) == SHAPE.columns


@pytest.mark.parametrize("names", ["messageId publishTime", "message_id publish_time"])
def test_either_way_to_write_the_keys_is_understood(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client, names: str
) -> None:
    delivery = envelope()
    kept = ("data", "attributes", *names.split())
    delivery["message"] = {key: delivery["message"][key] for key in kept}
    assert client.post(start_analyzer().url, json=delivery).status_code == 204
    assert warehouse.rows[0]["output"]["published_at"].startswith("2026")


def test_an_unwrapped_message_is_understood(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    headers = {
        "x-goog-pubsub-message-id": "77",
        "x-goog-pubsub-subscription-name": "projects/acme/subscriptions/push",
        "googclient_schemaencoding": "JSON",
        "content-type": "application/octet-stream",
    }
    body = b'{"id": "a", "text": "great"}'
    assert client.post(start_analyzer().url, content=body, headers=headers).status_code == 204
    assert (warehouse.rows[0]["message_id"], warehouse.rows[0]["output"]["review_id"]) == (
        "77",
        "a",
    )


def test_a_direct_call_gets_its_answer_and_leaves_no_row(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    url = f"{start_analyzer().url}/v1/sentiment"
    answer = client.post(url, json={"id": "a", "text": "I love it"}).json()
    assert (answer["id"], answer["label"], answer["model"]) == ("a", "positive", MODEL_VERSION)
    assert client.post(url, json={"text": ""}).status_code == 422
    assert client.post(url, content=b"text", headers={}).status_code == 415
    assert warehouse.rows == []


_JSON = {"content-type": "application/json"}
_BROKEN: dict[str, tuple[Json | bytes, dict[str, str], int, str]] = {
    "no JSON": (b"{", _JSON, 400, "malformed_envelope"),
    "no object": (b"[1]", _JSON, 400, "malformed_envelope"),
    "no message": ({"subscription": "s"}, _JSON, 400, "malformed_envelope"),
    "no message id": ({"message": {"data": "aGk="}}, _JSON, 400, "malformed_envelope"),
    "attributes of numbers": (
        {"message": {"messageId": "1", "data": "aGk=", "attributes": {"a": 1}}},
        _JSON,
        400,
        "malformed_envelope",
    ),
    "not UTF-8 around it": (b'{"message": "\xff"}', _JSON, 400, "malformed_envelope"),
    "form": (
        b"a=b",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "wrong_content_type",
    ),
    "no type": (b"{}", {}, 415, "wrong_content_type"),
    "bad base64": (
        {"message": {"messageId": "1", "data": "%%%"}},
        _JSON,
        400,
        "bad_base64",
    ),
    "not UTF-8": (envelope(b"\xff\xfe"), _JSON, 422, "not_utf8"),
    "empty": (envelope(b""), _JSON, 422, "malformed_payload"),
    "lone surrogate": (envelope(b'{"text": "\\ud800"}'), _JSON, 422, "malformed_payload"),
    "no text": (envelope(b'{"id": "1"}'), _JSON, 422, "malformed_payload"),
    "Avro JSON of another shape": (
        envelope(b'{"title": "a"}', attributes={"googclient_schemaencoding": "JSON"}),
        _JSON,
        422,
        "malformed_payload",
    ),
    "Avro cut short": (
        envelope(b"\x02a\x10ab", attributes={"googclient_schemaencoding": "BINARY"}),
        _JSON,
        422,
        "malformed_payload",
    ),
    "Avro with more": (
        envelope(b"\x02a\x02bc", attributes={"googclient_schemaencoding": "BINARY"}),
        _JSON,
        422,
        "malformed_payload",
    ),
    "Avro not UTF-8": (
        envelope(b"\x02a\x02\xff", attributes={"googclient_schemaencoding": "BINARY"}),
        _JSON,
        422,
        "not_utf8",
    ),
    "unknown encoding": (
        envelope(attributes={"googclient_schemaencoding": "XML"}),
        _JSON,
        422,
        "malformed_payload",
    ),
    "too long a text": (envelope(b"a" * 10_001), _JSON, 422, "text_too_long"),
    "too large a body": (envelope(b"a" * 1_000_000), _JSON, 413, "body_too_large"),
}


def test_poison_is_refused_with_its_category_and_never_acknowledged(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer()
    found: dict[str, tuple[int, str]] = {}
    for name, (body, headers, _, _) in _BROKEN.items():
        if isinstance(body, bytes):
            answer = client.post(service.url, content=body, headers=headers)
        else:
            answer = client.post(service.url, json=body, headers=headers)
        found[name] = (answer.status_code, answer.json()["error"]["category"])
    assert found == {name: (status, category) for name, (*_, status, category) in _BROKEN.items()}
    assert not any(acknowledged(status) for status, _ in found.values())
    for _, _, status, category in _BROKEN.values():
        assert service.wait_for_log(error_category=category)["httpRequest"]["status"] == status
    assert warehouse.rows == []
    # And the service goes on.
    assert client.post(service.url, json=envelope()).status_code == 204


def test_a_message_delivered_many_times_is_one_row(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer()
    statuses = asyncio.run(deliver_all(service.url, [envelope(message_id="7")] * 20))
    assert statuses == [204] * 20
    assert client.post(service.url, json=envelope(message_id="7")).status_code == 204
    assert [row["message_id"] for row in warehouse.rows] == ["7"]
    assert any(line["duplicate"] for line in service.requests(204))


def test_messages_wait_in_pubsub_while_the_warehouse_is_away(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer(SINK_TIMEOUT_SECONDS="0.5")
    warehouse.failing = True
    deadline = time.monotonic() + 60
    # On a busy machine the time for the sink may be over before the client has asked it once.
    while client.get(f"{service.url}/readyz").json() != {"status": "ok", "sink": "failing"}:
        refused = client.post(service.url, json=envelope())
        assert refused.status_code == 503
        assert refused.json()["error"]["category"] == "sink_unavailable"
        assert refused.headers["retry-after"]
        assert time.monotonic() < deadline
    warehouse.failing = False
    while client.post(service.url, json=envelope()).status_code != 204:
        assert time.monotonic() < deadline
    assert {row["message_id"] for row in warehouse.rows} == {"1"}
    assert client.get(f"{service.url}/readyz").json()["sink"] == "ok"


def test_a_short_outage_of_the_warehouse_costs_no_delivery(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer()
    assert client.post(service.url, json=envelope(message_id="1")).status_code == 204
    warehouse.failing = True
    threading.Timer(0.5, lambda: setattr(warehouse, "failing", False)).start()
    assert client.post(service.url, json=envelope(message_id="2")).status_code == 204
    assert [row["message_id"] for row in warehouse.rows] == ["1", "2"]


def test_under_load_every_message_is_a_row(
    start_analyzer: Start, warehouse: LocalStorageWrite
) -> None:
    service = start_analyzer(MAX_CONCURRENCY="200", QUEUE_SECONDS="30")
    deliveries = [avro_json(f"It is good, number {n}", str(n)) for n in range(300)]
    assert asyncio.run(deliver_all(service.url, deliveries)) == [204] * 300
    assert sorted(row["message_id"] for row in warehouse.rows) == sorted(map(str, range(300)))


def test_a_flood_is_refused_and_comes_back_without_loss(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer(MAX_CONCURRENCY="2", QUEUE_SECONDS="0")
    warehouse.flowing.clear()
    flood = [envelope(message_id=str(number)) for number in range(20)]

    async def flood_then_let_flow() -> list[int]:
        going = asyncio.create_task(deliver_all(service.url, flood))
        while len(service.requests(503)) < 18:
            await asyncio.sleep(0.01)
        # The health checks of a full instance are still answered.
        assert (await asyncio.to_thread(client.get, service.url)).status_code == 200
        warehouse.flowing.set()
        return await going

    statuses = asyncio.run(flood_then_let_flow())
    assert sorted(statuses) == [204] * 2 + [503] * 18
    assert service.wait_for_log(error_category="overloaded")
    for delivery, status in zip(flood, statuses, strict=True):
        if not acknowledged(status):
            assert client.post(service.url, json=delivery).status_code == 204
    assert sorted(row["message_id"] for row in warehouse.rows) == sorted(map(str, range(20)))


def test_sigterm_lets_messages_finish_and_takes_no_more(
    start_analyzer: Start, warehouse: LocalStorageWrite, client: httpx.Client
) -> None:
    service = start_analyzer(LOG_LEVEL="DEBUG")
    warehouse.flowing.clear()

    async def stop_while_busy() -> list[int]:
        going = asyncio.create_task(
            deliver_all(service.url, [envelope(message_id=str(n)) for n in range(10)])
        )
        while not warehouse.waiting or len(service.begun()) < 10:
            await asyncio.sleep(0.01)
        service.terminate()
        while True:
            try:
                await asyncio.to_thread(httpx.get, f"{service.url}/healthz")
                await asyncio.sleep(0.01)
            except httpx.TransportError:
                break
        warehouse.flowing.set()
        return await going

    assert asyncio.run(stop_while_busy()) == [204] * 10
    assert service.wait() == 0
    assert sorted(row["message_id"] for row in warehouse.rows) == sorted(map(str, range(10)))


def test_what_a_killed_instance_had_not_acknowledged_is_done_by_the_next(
    start_analyzer: Start, warehouse: LocalStorageWrite
) -> None:
    first = start_analyzer()
    deliveries = [envelope(message_id=str(number)) for number in range(30)]
    assert asyncio.run(deliver_all(first.url, deliveries[:10])) == [204] * 10
    warehouse.flowing.clear()

    async def kill_while_busy() -> list[int]:
        going = asyncio.create_task(deliver_all(first.url, deliveries[10:]))
        while not warehouse.waiting:
            await asyncio.sleep(0.01)
        first.process.kill()
        return await going

    assert asyncio.run(kill_while_busy()) == [0] * 20
    warehouse.flowing.set()
    second = start_analyzer()
    # Pub/Sub delivers again what got no answer; some rows may be there twice, by the same id.
    assert asyncio.run(deliver_all(second.url, deliveries[10:])) == [204] * 20
    assert {row["message_id"] for row in warehouse.rows} == set(map(str, range(30)))
    hashes = {(row["message_id"], row["input"]) for row in warehouse.rows}
    assert len(hashes) == 30


def test_a_row_the_table_refuses_holds_up_no_other(
    start_analyzer: Start, warehouse: LocalStorageWrite
) -> None:
    service = start_analyzer()
    warehouse.refused_ids.add("bad")
    deliveries = [envelope(message_id=name) for name in ("a", "bad", "b", "c")]
    assert asyncio.run(deliver_all(service.url, deliveries)) == [204, 503, 204, 204]
    assert {row["message_id"] for row in warehouse.rows} == {"a", "b", "c"}


def test_missing_settings_stop_the_start_and_are_named(start: Start) -> None:
    service = start("sentiment_analyzer", {"RESULTS_TABLE": "results"}, ready=False)
    assert service.wait() == 2
    text = "".join(str(line["message"]) for line in service.log)
    assert "results_table" in text
