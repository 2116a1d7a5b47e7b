"""Whole pipelines of the stack: what goes in comes out, whatever is killed or away meanwhile."""

import asyncio
import base64
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from catalog.limits.bigquery import PREDICTION_LOG
from emulator.demo import run
from emulator.demo.calls import chat
from emulator.demo.pipelines import Pipeline, pipelines
from emulator.demo.run import DemoError
from emulator.messages.publishing import Draft
from emulator.runtime.emulator import CACHE, Emulator, emulate
from emulator.runtime.google_apis import AUDIENCE
from emulator.runtime.secrets import SECRET_VERSION
from emulator.tokens import Issuer
from emulator.warehouse.storage_write import StorageWriteApi
from emulator.warehouse.store import TABLE, Warehouse
from launcher.operations import demo, replay
from launcher.paths import ROOT
from launcher.problem import LaunchError
from sandbox.gcp.effects.cloud_run import SERVICE
from sandbox.world import CloudResource, World
from tests.demo.test_services import INVOKER, STRANGER, template, until
from tests.demo.worlds import PUBLISHER, add, grant
from tests.engine.conftest import Rehearsal

WRITER = "gcp:bigquery/iamMember:IamMember"


def on(home: Path, work: Callable[[Emulator, Pipeline], Awaitable[None]]) -> None:
    """Run `work` with the stack's pipeline at work, waits left out."""

    async def run() -> None:
        with World(home / "world.db") as world:
            async with emulate(world, home, skip=True) as emulator:
                await work(emulator, pipelines(emulator)[0])

    asyncio.run(run())


def publish(emulator: Emulator, pipeline: Pipeline, count: int) -> list[str]:
    ids = emulator.broker.publish(
        pipeline.topic.id, [Draft(f"review {number} is great".encode()) for number in range(count)]
    )
    emulator.deliveries.wake()
    return ids


def hurried(home: Path) -> None:
    """Let the service wait a second alone for the warehouse."""

    def edit(inputs: dict[str, Any]) -> None:
        inputs["containers"][0]["envs"].append({"name": "SINK_TIMEOUT_SECONDS", "value": "1"})

    template(home, edit)


def predicted(warehouse: Warehouse, table: str) -> Counter[str]:
    return Counter(row["message_id"] for row in warehouse.rows(table))


def test_the_demo_counts_every_message_and_leaves_a_page(
    made: Rehearsal, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = replace(made.places, home=whole)
    demo(places)
    printed = capsys.readouterr().out
    assert "WRONG" not in printed
    assert "messages with exactly one prediction" in printed
    # Scans of its rows: all rules hold, and wrong rows break each and are told once.
    assert re.search(r"sentiment-results-results-quality: rules that hold +5  ok", printed)
    assert re.search(r"sentiment-results-results-quality: alerts of them +1  ok", printed)
    # The loop of its model: drift, one run of ten alerts, a canary promoted, one rolled back.
    assert "10 alerts: training begun 1, training skipped 9" in printed
    for event in ("steady", "drift", "waiting", "promoted", "rolled_back"):
        assert re.search(rf"sentiment-training-service: .* {event}  ok", printed)
    page = (whole / "demo.html").read_text()
    assert "I love this phone" in page
    assert "dead letter" in page
    assert "WRONG" not in page
    assert not list((whole / "instances").glob("*.pid"))
    replay(places)
    printed = capsys.readouterr().out
    assert "replayed 4 dead letters" in printed
    assert "0 of them went through, 4 are dead letters again" in printed


def test_the_demo_counts_nothing_that_a_stopped_one_left(
    made: Rehearsal, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leave(emulator: Emulator, pipeline: Pipeline) -> None:
        pipeline.publish(emulator)

    on(home, leave)
    demo(replace(made.places, home=home))
    assert "WRONG" not in capsys.readouterr().out


def test_the_demo_fails_when_a_count_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with World(home / "world.db") as world:
        (dead,) = (g for g in world.by_type(PUBLISHER) if g.inputs["topic"].endswith("dead-letter"))
        world.remove(*dead.key)
        with pytest.raises(DemoError, match="counts wrong"):
            asyncio.run(run.demo("dev", world, home, patience=5))
    assert "0  WRONG, wanted 4" in capsys.readouterr().out


def test_a_stack_without_a_service_of_ours_is_told_what_can_run(
    made: Rehearsal, home: Path
) -> None:
    def other(inputs: dict[str, Any]) -> None:
        inputs["containers"][0]["image"] = "us-docker.pkg.dev/samples/hello-app:2.0"

    template(home, other)
    with pytest.raises(LaunchError, match="there is no services/hello_app"):
        demo(replace(made.places, home=home))


def test_killing_the_services_loses_no_message(home: Path) -> None:
    async def work(emulator: Emulator, pipeline: Pipeline) -> None:
        ids = publish(emulator, pipeline, 60)
        instances = pipeline.hosted.instances
        killed: set[int] = set()
        await until(lambda: bool(predicted(emulator.warehouse, pipeline.results)))
        for _ in range(2):
            await until(lambda: bool({*instances.running()} - killed))
            for pid in {*instances.running()} - killed:
                psutil.Process(pid).kill()
                killed.add(pid)
            ids += publish(emulator, pipeline, 20)
        await until(emulator.deliveries.settled)
        assert emulator.broker.states(pipeline.push.id) == {"acked": len(ids)}
        # A row may be there twice: one that was kept as its service was killed, unacknowledged.
        assert set(predicted(emulator.warehouse, pipeline.results)) == set(ids)

    on(home, work)


def test_an_unreachable_warehouse_loses_nothing_and_dead_letters_come_back(home: Path) -> None:
    hurried(home)

    async def work(emulator: Emulator, pipeline: Pipeline) -> None:
        hosted = pipeline.hosted
        port, account = hosted.storage_write.port, hosted.service.account
        hosted.storage_write.stop()
        ids = publish(emulator, pipeline, 5)
        await until(lambda: emulator.broker.states(pipeline.push.id)["dead"] == len(ids))
        again = StorageWriteApi(emulator.world, emulator.warehouse, account, port)
        try:
            new = emulator.broker.replay(pipeline.dead_letters[0])
            emulator.deliveries.wake()
            await until(emulator.deliveries.settled)
            assert predicted(emulator.warehouse, pipeline.results) == dict.fromkeys(new, 1)
            assert len(new) == len(ids)
        finally:
            again.stop()

    on(home, work)


def test_a_service_that_may_not_write_keeps_its_messages_until_it_may(home: Path) -> None:
    hurried(home)

    async def work(emulator: Emulator, pipeline: Pipeline) -> None:
        (granted,) = emulator.world.by_type(WRITER)
        emulator.world.remove(*granted.key)
        (id_,) = publish(emulator, pipeline, 1)
        await until(lambda: emulator.broker.attempts(pipeline.push.id)[id_] > 1)
        assert not predicted(emulator.warehouse, pipeline.results)
        emulator.world.put(granted)
        await until(lambda: emulator.broker.states(pipeline.push.id)["acked"] == 1)
        assert predicted(emulator.warehouse, pipeline.results) == {id_: 1}

    on(home, work)


def test_pushes_of_an_account_without_the_invoker_role_are_refused_and_kept(home: Path) -> None:
    async def work(emulator: Emulator, pipeline: Pipeline) -> None:
        (granted,) = emulator.world.by_type(INVOKER)
        emulator.world.remove(*granted.key)
        (id_,) = publish(emulator, pipeline, 1)
        await until(lambda: emulator.broker.attempts(pipeline.push.id)[id_] > 1)
        (reason,) = emulator.broker.store.rows(
            "SELECT reason FROM deliveries WHERE subscription = ?", pipeline.push.id
        )[0]
        assert reason.startswith("403")
        assert pipeline.hosted.instances.started == 0
        emulator.world.put(granted)
        await until(lambda: emulator.broker.states(pipeline.push.id)["acked"] == 1)

    on(home, work)


@contextmanager
def runtime(home: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Yield the sandbox as a process of its own, and the address of its APIs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator.runtime", str(home), "--skip"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())["apis"]
    finally:
        # Asked to, it ends its services; killed, it leaves them to its next run.
        process.terminate()
        process.wait()
        process.stdout.close()


def test_killing_the_sandbox_itself_loses_no_message(home: Path) -> None:
    with World(home / "world.db") as world:
        topic = next(t.id for t in world.by_type("gcp:pubsub/topic:Topic") if "dead" not in t.id)
        table = world.by_type("gcp:bigquery/table:Table")[0].id
        grant(world, PUBLISHER, topic, "roles/pubsub.publisher", STRANGER, topic=topic)
    token = Issuer(home / "issuer").token(STRANGER, AUDIENCE)
    ids: list[str] = []

    def send(apis: str, count: int) -> None:
        messages = [
            {"data": base64.b64encode(f"number {n} is bad".encode()).decode()} for n in range(count)
        ]
        response = httpx.post(
            f"{apis}/v1/{topic}:publish",
            json={"messages": messages},
            headers={"authorization": f"Bearer {token}"},
        )
        ids.extend(response.json()["messageIds"])

    def rows() -> set[str]:
        with World(home / "world.db") as world:
            warehouse = Warehouse(world, home / "warehouse.db")
            try:
                return set(predicted(warehouse, table))
            finally:
                warehouse.close()

    for _ in range(2):
        with runtime(home) as (process, apis):
            send(apis, 40)
            asyncio.run(until(lambda: bool(rows() & set(ids))))
            process.send_signal(signal.SIGKILL)
            process.wait()
    with runtime(home):
        asyncio.run(until(lambda: rows() == set(ids)))
    assert len(ids) == 80


def test_publishing_over_the_api_needs_the_right_to(home: Path) -> None:
    async def work(emulator: Emulator, pipeline: Pipeline) -> None:
        url = f"{emulator.apis}/v1/{pipeline.topic.id}:publish"
        body = {"messages": [{"data": "aGVsbG8="}]}

        async def status(headers: dict[str, str]) -> int:
            return (await emulator.client.post(url, json=body, headers=headers)).status_code

        token = emulator.issuer.token(STRANGER, AUDIENCE)
        stranger = {"authorization": f"Bearer {token}"}
        assert await status({}) == 401
        assert await status(stranger) == 403
        topic = pipeline.topic.id
        grant(emulator.world, PUBLISHER, topic, "roles/pubsub.publisher", STRANGER, topic=topic)
        assert await status(stranger) == 200
        body["messages"] = [{"data": "not base64!"}]
        assert await status(stranger) == 400
        await until(emulator.deliveries.settled)

    on(home, work)


def a_cache_with_a_password(world: World, project: str) -> dict[str, Any]:
    """Put it into the world; return the variable with the password."""
    secret = f"projects/{project}/secrets/cache-password"
    instance = {"authEnabled": True, "transitEncryptionMode": "SERVER_AUTHENTICATION"}
    outputs = {"authString": "s3cret"}
    cache = CloudResource(CACHE, "cache", project=project, inputs=instance, outputs=outputs)
    version = {"secret": secret, "secretDataWo": "s3cret"}
    world.put(cache)
    world.put(
        CloudResource(SECRET_VERSION, f"{secret}/versions/1", project=project, inputs=version)
    )
    return {
        "name": "REDIS_PASSWORD",
        "valueSource": {"secretKeyRef": {"secret": "cache-password", "version": "latest"}},
    }


def a_request_log(world: World, project: str, account: str) -> str:
    """Put the log of predictions and prod's view of it into the world; return the log's name."""
    stack: Any = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())
    views = stack["config"]["data"]["warehouse"]["inference"]["materialized_views"]
    query: str = views["daily_usage"]["query"]
    dataset, name = f"projects/{project}/datasets/inference", f"{project}.inference.predictions"
    table = f"{dataset}/tables/predictions"
    add(world, TABLE, table, schema=json.dumps(PREDICTION_LOG))
    view = {"query": query.replace("{predictions}", f"`{name}`")}
    add(world, TABLE, f"{dataset}/tables/daily_usage", materializedView=view)
    on = {"project": project, "datasetId": "inference", "tableId": "predictions"}
    grant(world, WRITER, table, "roles/bigquery.dataEditor", account, **on)
    return name


@pytest.mark.parametrize(("auth", "secured"), [("none", False), ("google", False), ("none", True)])
def test_the_llm_backend_answers_from_the_stand_in_caches_and_streams(
    home: Path, auth: str, secured: bool
) -> None:
    environment = {
        "LLM_BASE_URL": "http://10.10.0.10/v1",
        "LLM_MODEL": "qwen3-4b",
        "LLM_AUTH": auth,
        "REDIS_URL": "redis://10.20.0.3:6379",
    }
    if secured:
        environment |= {"REDIS_URL": "rediss://10.20.0.3:6378", "REDIS_CA_FILE": "/etc/ca/ca.pem"}
    with World(home / "world.db") as world:
        (model,) = world.by_type(SERVICE)
        name = model.id.replace(model.inputs["name"], "chat")
        inputs = json.loads(json.dumps({**model.inputs, "name": "chat"}))
        container = inputs["template"]["containers"][0]
        container["image"] = "us-docker.pkg.dev/acme/services/llm-backend:1.0.0"
        account = inputs["template"]["serviceAccount"]
        environment["PREDICTIONS_TABLE"] = a_request_log(world, model.project, account)
        container["envs"] = [{"name": key, "value": value} for key, value in environment.items()]
        if secured:
            container["envs"].append(a_cache_with_a_password(world, model.project))
        outputs: dict[str, Any] = {**model.outputs, "uri": "https://chat.run.app", "urls": []}
        world.put(replace(model, id=name, inputs=inputs, outputs=outputs, urn="chat"))
        (granted,) = world.by_type(INVOKER)
        world.put(replace(granted, id="chat", inputs={**granted.inputs, "name": "chat"}))

    async def work(emulator: Emulator, _: Pipeline) -> None:
        (hosted,) = (each for each in emulator.hosted if each.folder == "llm_backend")
        checks, replies = await chat(emulator, hosted)
        assert [check for check in checks if not check.good] == []
        logged = {check.what: check.found for check in checks}
        assert logged["chats in the request log"] == 3
        assert logged["tokens by day, model and consumer in daily_usage"]
        assert "not a model" in replies[0]
        assert replies[1].startswith("second (cached)")
        assert len(emulator.model.requests) == 2
        if auth == "google":
            token = emulator.model.headers[0]["authorization"].removeprefix("Bearer ")
            assert emulator.issuer.account(token, [AUDIENCE]) == hosted.service.account

    on(home, work)
