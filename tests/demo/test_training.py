"""The loop of a model where things go wrong: no labels, alerts in a row, no right to something.

That it works is the demo's to show: tests/demo/test_pipelines.py.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from emulator.demo.pipelines import pipelines
from emulator.demo.training import Loop, loops
from emulator.messages.publishing import Draft
from emulator.runtime.emulator import Emulator, emulate
from emulator.runtime.log_filter import parsed
from sandbox.world import World
from services.sentiment_analyzer.releases import RELEASES, Canary, Releases, Run

PROJECT = "acme-inference-dev"
LABELS = f"{PROJECT}.sentiment_labels.labels"
RESULTS = f"{PROJECT}.sentiment_results.results"
DIGEST = f"sha256:{'0' * 64}"
RETRAIN = Draft(b"", {"action": "retrain"})
ALERT = Draft(b'{"incident": {"state": "open"}}', {})


def on(home: Path, work: Callable[[Loop], Awaitable[None]]) -> None:
    """Do some work with the stack's loop."""

    async def run() -> None:
        with World(home / "world.db") as world:
            async with emulate(world, home, skip=True) as emulator:
                (loop,) = loops(emulator, pipelines(emulator), lambda _: None)
                await work(loop)

    asyncio.run(run())


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def set_releases(loop: Loop, releases: Releases) -> None:
    content = releases.model_dump_json().encode()
    loop.emulator.objects.write(loop.bucket, RELEASES, content, None)


async def asked(loop: Loop, draft: Draft) -> str:
    """Return what a message to the trainer makes it do."""
    await loop.publish(draft)
    return str(loop.findings()[-1]["event"])


def test_what_goes_wrong_leaves_the_serving_version_and_is_told(whole: Path) -> None:
    async def work(loop: Loop) -> None:
        # Nobody has labelled anything: the run ends, and somebody is told.
        assert await asked(loop, RETRAIN) == "training_begun"
        assert await asked(loop, RETRAIN) == "training_skipped"
        await loop.emulator.runs.settled()
        (job,) = loop.emulator.runs.jobs.values()
        assert job.steps == {
            "collect": "collect: found 0 labelled texts, allowed: at least 50; label more messages"
        }
        loop.alerts.tell()
        assert (await loop.look())["event"] == "training_failed"
        (policy,) = loop.alerts.tell()
        fired = loop.emulator.world.get("gcp:monitoring/alertPolicy:AlertPolicy", policy)
        assert fired is not None
        assert "a training run failed" in fired.inputs["displayName"]
        assert loop.releases.run is None
        assert loop.serving == ""

        # Alerts begin no run soon after another, people do.
        assert await asked(loop, ALERT) == "training_skipped"
        last = Run(id="earlier", since=ago(25))
        set_releases(loop, Releases(last_run=last))
        assert await asked(loop, ALERT) == "training_begun"
        await loop.emulator.runs.settled()

        # A label that never comes: the canary waits, then it is gone.
        canary = Canary(digest=DIGEST, since=ago(71), percent=10)
        set_releases(loop, Releases(canary=canary, last_run=last))
        assert await asked(loop, ALERT) == "training_skipped"
        assert (await loop.look())["event"] == "waiting"
        set_releases(loop, Releases(canary=canary.model_copy(update={"since": ago(73)})))
        found = await loop.look()
        assert (found["event"], found["why"]) == ("rolled_back", "too few labels came")
        assert loop.releases.canary is None
        assert (await loop.look())["event"] == "quiet"

        # What asks for nothing is refused, and ends as a dead letter.
        before = len(loop.findings())
        await loop.publish(Draft(b"hello", {}), Draft(b"{}", {"action": "delete"}))
        await loop.publish(Draft(b'{"incident": {"state": "closed"}}', {}))
        assert len(loop.findings()) == before

    on(whole, work)


def test_a_quota_that_is_exhausted_is_tried_again_then_told(whole: Path) -> None:
    async def work(loop: Loop) -> None:
        loop.emulator.runs.quota = 0
        loop.alerts.tell()
        await loop.publish(RETRAIN)
        # Each delivery was answered so that it comes again; the last is a dead letter.
        assert loop.findings() == []
        assert loop.emulator.runs.jobs == {}
        assert (await loop.look())["event"] == "training_failed"
        assert len(loop.alerts.tell()) == 1
        assert loop.releases.run is None

        loop.emulator.runs.quota = 1
        assert await asked(loop, RETRAIN) == "training_begun"
        await loop.emulator.runs.settled()

    on(whole, work)


def account(emulator: Emulator, role: str) -> httpx.AsyncClient:
    """Return a client whom Google's APIs know as an account of the stack."""
    email = f"{role}@{PROJECT}.iam.gserviceaccount.com"
    app = emulator.google_apis(email, PROJECT).app
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://google")


def test_each_account_may_do_what_the_stack_grants_it(whole: Path) -> None:
    bucket = f"{PROJECT}-sentiment-models"
    upload = f"/upload/storage/v1/b/{bucket}/o?name=a"
    queries = f"/bigquery/v2/projects/{PROJECT}/queries"
    jobs = f"/v1/projects/{PROJECT}/locations/us-central1/pipelineJobs?pipelineJobId=a"
    steps = f"sentiment-steps@{PROJECT}.iam.gserviceaccount.com"

    async def work(loop: Loop) -> None:
        emulator = loop.emulator
        trains, watched = (account(emulator, e) for e in ("sentiment-steps", "sentiment-run"))
        assert (await watched.post(upload, content=b"x")).status_code == 403
        assert (await trains.post(upload, content=b"x")).status_code == 200
        assert (await trains.post(f"{upload}&ifGenerationMatch=0", content=b"y")).status_code == 412
        found = await watched.get(f"/storage/v1/b/{bucket}/o/a?alt=media")
        assert (found.content, found.headers["x-goog-generation"]) == (b"x", "1")
        assert (await watched.get(f"/storage/v1/b/{bucket}/o/b?alt=media")).status_code == 404

        table = {"query": f"SELECT label FROM `{LABELS}`"}  # noqa: S608
        assert (await trains.post(queries, json=table)).json()["rows"] == []
        results = {"query": f"SELECT model FROM `{RESULTS}`"}  # noqa: S608
        assert (await trains.post(queries, json=results)).status_code == 403
        assert (await watched.post(queries, json=results)).status_code == 403

        # Whom runs act as can't begin others as itself, nor the analyzer any.
        run = {"serviceAccount": steps, "pipelineSpec": {}, "runtimeConfig": {}}
        for each in (trains, watched):
            assert (await each.post(jobs, json=run)).status_code == 403

    on(whole, work)


ENTRY = {"severity": "ERROR", "a": "1", 'labels."x.y/z"': "FAILED"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('a="1"', True),
        ('a="2" OR severity>=WARNING', True),
        ('a="2" OR a="1" AND severity="INFO"', False),
        ('a=("2" OR "1") AND NOT severity>=CRITICAL', True),
        ('labels."x.y/z"="FAILED" AND (a="2" OR (a="1" AND NOT b=true))', True),
        ("severity>=CRITICAL", False),
    ],
)
def test_a_filter_finds_what_cloud_logging_finds(text: str, found: bool) -> None:
    assert parsed(text)(ENTRY) is found


@pytest.mark.parametrize(
    "text",
    ["", "a", 'a="b" OR', 'a:"b"', "a>=3", 'a=("b" OR', '(a="b"', "textPayload=~x", 'a="b")'],
)
def test_a_filter_that_alerts_cannot_be_played_of_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="allowed here"):
        parsed(text)
