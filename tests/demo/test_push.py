"""Deliveries over HTTP look and count as Pub/Sub's do, and every kind of subscription is served."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator.messages.publishing import Draft
from emulator.messages.push import ACKNOWLEDGED, rfc3339
from emulator.messages.resources import SUBSCRIPTION
from emulator.runtime.emulator import Emulator, emulate
from emulator.runtime.google_apis import AUDIENCE
from emulator.runtime.local_server import LocalServer
from emulator.warehouse.store import TABLE
from sandbox.world import World
from tests.demo.test_services import STRANGER, until
from tests.demo.test_warehouse import RAW, SCHEMA, WRITER
from tests.demo.worlds import (
    AGENT,
    DEAD,
    DEAD_PULL,
    MAIN,
    PROJECT,
    PULL,
    PUSH,
    SUBSCRIBER,
    add,
    add_subscription,
    alter,
    grant,
)

PUSHER = f"pusher@{PROJECT}.iam.gserviceaccount.com"
Answer = Callable[[int], int]


class Endpoint:
    """Takes requests and answers the n-th with `answer(n)`."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[tuple[Mapping[str, str], bytes]] = []
        self._answer = answer
        self.server = LocalServer(Starlette(routes=[Route("/in", self._take, methods=["POST"])]))

    @property
    def url(self) -> str:
        return f"{self.server.url}/in"

    async def _take(self, request: Request) -> Response:
        self.requests.append((dict(request.headers), await request.body()))
        return Response(status_code=self._answer(len(self.requests)))


def delivered(
    world: World,
    home: Path,
    answer: Answer,
    work: Callable[[Emulator, Endpoint], Awaitable[None]],
    **push: Any,
) -> None:
    """Run `work` with the small world's push subscription leading to an endpoint."""

    async def run() -> None:
        endpoint = Endpoint(answer)

        def lead(inputs: dict[str, Any]) -> None:
            inputs["pushConfig"] = {"pushEndpoint": endpoint.url, **push}

        alter(world, SUBSCRIPTION, lead, "/push")
        await endpoint.server.start()
        async with emulate(world, home, skip=True) as emulator:
            await work(emulator, endpoint)
        await endpoint.server.stop()

    asyncio.run(run())


def test_a_wrapped_delivery_has_pubsubs_envelope_and_a_token(world: World, tmp_path: Path) -> None:
    account = f"projects/{PROJECT}/serviceAccounts/{PUSHER}"
    add(world, "gcp:serviceaccount/account:Account", account, {"uniqueId": "123"})

    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        (id_,) = emulator.broker.publish(MAIN, [Draft(b"hello", {"color": "red"}, "key")])
        await until(emulator.deliveries.settled)
        ((headers, body),) = endpoint.requests
        message = json.loads(body)["message"]
        assert message["data"] == "aGVsbG8="
        assert message["attributes"] == {"color": "red"}
        assert message["messageId"] == message["message_id"] == id_
        assert message["publishTime"] == message["publish_time"]
        assert message["orderingKey"] == "key"
        assert json.loads(body)["subscription"] == PUSH
        assert json.loads(body)["deliveryAttempt"] == 1
        token = headers["authorization"].removeprefix("Bearer ")
        assert emulator.issuer.account(token, ["for me"]) == PUSHER

    token = {"serviceAccountEmail": PUSHER, "audience": "for me"}
    delivered(world, tmp_path, lambda _: 204, work, oidcToken=token)


@pytest.mark.parametrize("metadata", [True, False])
def test_an_unwrapped_delivery_is_the_data_with_what_is_known_of_it_as_headers(
    world: World, tmp_path: Path, metadata: bool
) -> None:
    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        (id_,) = emulator.broker.publish(MAIN, [Draft(b"hello", {"color": "red"})])
        await until(emulator.deliveries.settled)
        ((headers, body),) = endpoint.requests
        assert body == b"hello"
        assert headers.get("x-goog-pubsub-message-id") == (id_ if metadata else None)
        assert headers.get("color") == ("red" if metadata else None)
        assert "authorization" not in headers

    delivered(world, tmp_path, lambda _: 200, work, noWrapper={"writeMetadata": metadata})


def test_pubsubs_five_statuses_acknowledge_and_no_others(world: World, tmp_path: Path) -> None:
    # 102 can't be sent as a final answer by an HTTP server.
    statuses = [203, 301, 400, 429, 500]

    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        emulator.broker.publish(MAIN, [Draft(b"hello")])
        await until(emulator.deliveries.settled)
        assert len(endpoint.requests) == 5
        assert emulator.broker.states(PUSH) == {"dead": 1}

    delivered(world, tmp_path, lambda number: statuses[number - 1], work)


@pytest.mark.parametrize("status", [s for s in ACKNOWLEDGED if s >= 200])
def test_an_acknowledging_status_ends_a_delivery(world: World, tmp_path: Path, status: int) -> None:
    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        emulator.broker.publish(MAIN, [Draft(b"hello")])
        await until(emulator.deliveries.settled)
        assert len(endpoint.requests) == 1

    delivered(world, tmp_path, lambda _: status, work)


def test_retries_keep_the_stacks_waits_on_a_clock_that_skips_them(
    world: World, tmp_path: Path
) -> None:
    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        emulator.broker.publish(MAIN, [Draft(b"hello")])
        await until(emulator.deliveries.settled)
        assert emulator.clock.ahead > 60
        assert len(endpoint.requests) == 4
        assert [json.loads(body)["deliveryAttempt"] for _, body in endpoint.requests] == [
            1,
            2,
            3,
            4,
        ]

    delivered(world, tmp_path, lambda number: 500 if number < 4 else 204, work)


def test_messages_behind_a_failing_one_of_their_key_let_the_clock_skip_its_waits(
    world: World, tmp_path: Path
) -> None:
    alter(world, SUBSCRIPTION, lambda inputs: inputs.update(enableMessageOrdering=True), "/push")

    async def work(emulator: Emulator, endpoint: Endpoint) -> None:
        drafts = [Draft(text, ordering_key="a") for text in (b"first", b"second")]
        first, second = emulator.broker.publish(MAIN, drafts)
        await until(emulator.deliveries.settled)
        assert emulator.broker.states(PUSH) == {"acked": 2}
        # Waits of 10, 20 and 40 seconds, less what passes while a delivery is under way.
        assert emulator.clock.ahead > 60
        bodies = [json.loads(body) for _, body in endpoint.requests]
        assert [body["message"]["messageId"] for body in bodies] == [*[first] * 4, second]

    delivered(world, tmp_path, lambda number: 500 if number < 4 else 204, work)


def test_an_endpoint_that_is_nowhere_keeps_the_message_with_the_reason(
    world: World, tmp_path: Path
) -> None:
    async def run() -> None:
        async with emulate(world, tmp_path, skip=True) as emulator:
            emulator.broker.publish(MAIN, [Draft(b"hello")])
            await until(lambda: emulator.broker.states(PUSH)["dead"] == 1)
            ((reason,),) = emulator.broker.store.rows(
                "SELECT reason FROM deliveries WHERE subscription = ?", PUSH
            )
            assert reason == "no such host: service.run.app"

    asyncio.run(run())


def test_a_bigquery_subscription_fills_its_table_and_bad_rows_are_dead_letters(
    world: World, tmp_path: Path
) -> None:
    add(world, TABLE, RAW, schema=SCHEMA)
    grant(world, WRITER, RAW, "roles/bigquery.dataEditor", AGENT, datasetId="lake", tableId="raw")
    name = add_subscription(
        world,
        "rows",
        MAIN,
        bigqueryConfig={"table": "acme.lake.raw", "useTableSchema": True},
        retryPolicy={"minimumBackoff": "10s", "maximumBackoff": "60s"},
        deadLetterPolicy={"deadLetterTopic": DEAD, "maxDeliveryAttempts": 5},
    )
    grant(world, SUBSCRIBER, name, "roles/pubsub.subscriber", AGENT, subscription="rows")
    good = {"message_id": "1", "publish_time": "2026-01-02T03:04:05Z", "data": "hello"}

    async def work(emulator: Emulator, _: Endpoint) -> None:
        drafts = [Draft(json.dumps(row).encode()) for row in (good, {"message_id": "2"})]
        emulator.broker.publish(MAIN, drafts)
        await until(emulator.deliveries.settled)
        assert emulator.broker.states(name) == {"acked": 1, "dead": 1}
        assert [row["data"] for row in emulator.warehouse.rows(RAW)] == ["hello"]

    delivered(world, tmp_path, lambda _: 204, work)


def test_dead_letters_can_be_pulled_refused_held_and_acknowledged(
    world: World, tmp_path: Path
) -> None:
    grant(
        world, SUBSCRIBER, DEAD_PULL, "roles/pubsub.subscriber", STRANGER, subscription="dead-pull"
    )

    async def work(emulator: Emulator, _: Endpoint) -> None:
        token = emulator.issuer.token(STRANGER, AUDIENCE)
        emulator.broker.publish(DEAD, [Draft(b"hello")])

        async def call(what: str, body: dict[str, Any], name: str = DEAD_PULL) -> Any:
            headers = {"authorization": f"Bearer {token}"}
            url = f"{emulator.apis}/v1/{name}:{what}"
            return await emulator.client.post(url, json=body, headers=headers)

        async def pull() -> list[dict[str, Any]]:
            return (await call("pull", {"maxMessages": 5})).json().get("receivedMessages", [])

        (first,) = await pull()
        assert first["message"]["data"] == "aGVsbG8="
        assert await pull() == []
        await call("modifyAckDeadline", {"ackIds": [first["ackId"]], "ackDeadlineSeconds": 0})
        (again,) = await pull()
        await call("acknowledge", {"ackIds": [first["ackId"]]})
        assert emulator.broker.states(DEAD_PULL) == {"leased": 1}
        await call("acknowledge", {"ackIds": [again["ackId"]]})
        assert emulator.broker.states(DEAD_PULL) == {"acked": 1}
        assert (await call("pull", {}, PUSH)).status_code == 403
        assert (await call("pull", {}, f"{DEAD_PULL}s")).status_code == 403

    delivered(world, tmp_path, lambda _: 204, work)


def test_with_exactly_once_a_late_acknowledgement_is_refused_and_named(
    world: World, tmp_path: Path
) -> None:
    name = add_subscription(
        world, "once", MAIN, enableExactlyOnceDelivery=True, ackDeadlineSeconds=60
    )
    grant(world, SUBSCRIBER, name, "roles/pubsub.subscriber", STRANGER, subscription="once")

    async def work(emulator: Emulator, _: Endpoint) -> None:
        headers = {"authorization": f"Bearer {emulator.issuer.token(STRANGER, AUDIENCE)}"}

        async def call(what: str, **body: Any) -> Any:
            url = f"{emulator.apis}/v1/{name}:{what}"
            return await emulator.client.post(url, json=body, headers=headers)

        async def pull() -> list[str]:
            received = (await call("pull", maxMessages=5)).json().get("receivedMessages", [])
            return [each["ackId"] for each in received]

        emulator.broker.publish(MAIN, [Draft(b"one"), Draft(b"two")])
        late, nacked = await pull()
        assert await pull() == []
        await call("modifyAckDeadline", ackIds=[nacked], ackDeadlineSeconds=0)
        (again,) = await pull()
        emulator.clock.ahead += 61
        renewed, fresh = await pull()
        answer = await call("acknowledge", ackIds=[late, nacked, again, renewed])
        assert answer.status_code == 400
        (details,) = answer.json()["error"]["details"]
        expired = dict.fromkeys((late, nacked, again), "PERMANENT_FAILURE_INVALID_ACK_ID")
        assert details["metadata"] == expired
        assert emulator.broker.states(name) == {"acked": 1, "leased": 1}
        assert (await call("acknowledge", ackIds=[fresh])).status_code == 200
        assert (await call("acknowledge", ackIds=[fresh])).status_code == 400
        assert (await call("acknowledge", ackIds=["nonsense"])).status_code == 400
        emulator.clock.ahead += 3600
        assert await pull() == []

    delivered(world, tmp_path, lambda _: 204, work)


def test_a_subscription_can_seek_over_the_api(world: World, tmp_path: Path) -> None:
    grant(world, SUBSCRIBER, PULL, "roles/pubsub.subscriber", STRANGER, subscription="pull")

    async def work(emulator: Emulator, _: Endpoint) -> None:
        headers = {"authorization": f"Bearer {emulator.issuer.token(STRANGER, AUDIENCE)}"}
        url = f"{emulator.apis}/v1/{PULL}:seek"
        emulator.broker.publish(MAIN, [Draft(b"one")])
        tomorrow = rfc3339(emulator.clock.now() + 86400)
        answer = await emulator.client.post(url, json={"time": tomorrow}, headers=headers)
        assert answer.status_code == 200
        assert emulator.broker.states(PULL) == {"acked": 1}
        answer = await emulator.client.post(url, json={"time": "soon"}, headers=headers)
        assert answer.status_code == 400
        url = f"{emulator.apis}/v1/{PUSH}:seek"
        answer = await emulator.client.post(url, json={"time": tomorrow}, headers=headers)
        assert answer.status_code == 403

    delivered(world, tmp_path, lambda _: 204, work)
