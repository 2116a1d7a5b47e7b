"""Where messages go beside the service: tables Pub/Sub writes, and subscriptions to fetch from."""

from collections import Counter
from typing import Any

from emulator.demo.checks import Check
from emulator.demo.pipelines import Pipeline
from emulator.messages.resources import Subscription, service_agent
from emulator.runtime.emulator import Emulator
from emulator.runtime.google_apis import AUDIENCE
from emulator.warehouse.store import table_id
from sandbox.gcp.access import members_that_may

_CONSUME = "pubsub.subscriptions.consume"
_MOST_AT_ONCE = 100


async def sink_checks(emulator: Emulator, pipeline: Pipeline) -> list[Check]:
    """Return the counts of the tables Pub/Sub writes itself, and of what a subscriber fetches."""
    checks: list[Check] = []
    for each in emulator.broker.pipes.of_topic(pipeline.topic.id):
        if each.bigquery:
            checks.append(_export_check(emulator, pipeline, each))
        elif each.pulled and each.exactly_once:
            checks += await _pull_checks(emulator, pipeline, each)
    return checks


def _export_check(emulator: Emulator, pipeline: Pipeline, export: Subscription) -> Check:
    table = table_id(str((export.bigquery or {})["table"]))
    rows = Counter(str(row.get("message_id")) for row in emulator.warehouse.rows(table))
    wanted = emulator.broker.states(export.id, pipeline.ids).total()
    once = sum(rows[id_] == 1 for id_ in pipeline.ids)
    return Check(pipeline.name, "messages exported to BigQuery", once, wanted)


async def _pull_checks(emulator: Emulator, pipeline: Pipeline, pull: Subscription) -> list[Check]:
    """Fetch as the account that may, over the API, and acknowledge each message."""
    name, wanted = pipeline.name, emulator.broker.states(pull.id, pipeline.ids)["waiting"]
    account = _consumer(emulator, pull)
    if account is None:
        return [Check(name, f"accounts that may fetch from {_short(pull)}", 0, 1)]
    headers = {"authorization": f"Bearer {emulator.issuer.token(account, AUDIENCE)}"}
    url = f"{emulator.apis}/v1/{pull.id}"
    fetched: list[str] = []
    last: list[str] = []
    while True:
        body = {"maxMessages": _MOST_AT_ONCE}
        answer = await emulator.client.post(f"{url}:pull", json=body, headers=headers)
        received: list[dict[str, Any]] = answer.json().get("receivedMessages", [])
        if not received:
            break
        fetched += [each["message"]["messageId"] for each in received]
        last = [each["ackId"] for each in received]
        await emulator.client.post(f"{url}:acknowledge", json={"ackIds": last}, headers=headers)
    counts = Counter(id_ for id_ in fetched if id_ in pipeline.ids)
    checks = [
        Check(name, "messages fetched once", sum(n == 1 for n in counts.values()), wanted),
        Check(name, "of them fetched again", sum(n > 1 for n in counts.values()), 0),
    ]
    if last:
        again = await emulator.client.post(
            f"{url}:acknowledge", json={"ackIds": last}, headers=headers
        )
        what = "status of an acknowledgement that comes twice"
        checks.append(Check(name, what, again.status_code, 400))
    return checks


def _consumer(emulator: Emulator, pull: Subscription) -> str | None:
    """Return the account that fetches: Pub/Sub's own takes dead messages off alone."""
    agent = service_agent(emulator.world, pull.project)
    members = members_that_may(emulator.world, _CONSUME, pull.id, f"projects/{pull.project}")
    accounts = [member.partition(":")[2] for member in members]
    return next((account for account in accounts if account != agent), None)


def _short(subscription: Subscription) -> str:
    return subscription.id.rpartition("/")[2]
