"""Jobs run as Cloud Run runs them, and a batch goes on where it was."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.demo.batches import batches, begun, play
from emulator.google.objects import BUCKET
from emulator.runtime.emulator import Emulator, RunningJob, emulate
from emulator.runtime.jobs import JOB, CloudRunJob, Execution
from sandbox.gcp.admission import POLICY
from sandbox.world import World
from tests.demo.worlds import PROJECT, add, alter, grant

ACCOUNT = f"reviews-batch@{PROJECT}.iam.gserviceaccount.com"
BEGINS = f"reviews-begin@{PROJECT}.iam.gserviceaccount.com"
ID = f"projects/{PROJECT}/locations/us-central1/jobs/reviews"
_THIRDS = (
    "import os, sys; told = os.environ; "
    "sys.exit(told['CLOUD_RUN_TASK_COUNT'] + told['CLOUD_RUN_TASK_INDEX'] not in '30 31 32')"
)
READER = "gcp:storage/bucketIAMMember:BucketIAMMember"


def a_batch(world: World, image: str = "batch-inference", tasks: int = 2, retries: int = 1) -> None:
    """Make a job whose requests and results are files of one bucket, and its schedule."""
    add(world, BUCKET, "acme-batches", name="acme-batches")
    for role in ("roles/storage.objectViewer", "roles/storage.objectCreator"):
        grant(world, READER, "acme-batches", role, ACCOUNT, bucket="acme-batches")
    told = {
        "LLM_BASE_URL": "https://inference.acme.internal/v1",
        "LLM_MODEL": "qwen3-4b",
        "BATCH_NAME": "reviews",
        "BATCH_INPUT": "gs://acme-batches/requests/*",
        "BATCH_OUTPUT": "gs://acme-batches/results/",
    }
    task = {
        "serviceAccount": ACCOUNT,
        "maxRetries": retries,
        "timeout": "60s",
        "containers": [
            {
                "image": f"us-docker.pkg.dev/{PROJECT}/services/{image}:1.0.0",
                "envs": [{"name": name, "value": value} for name, value in told.items()],
            }
        ],
    }
    template = {"taskCount": tasks, "parallelism": tasks, "template": task}
    add(world, JOB, ID, name="reviews", location="us-central1", template=template)
    grant(
        world,
        "gcp:cloudrunv2/jobIamMember:JobIamMember",
        ID,
        "roles/run.jobsExecutor",
        BEGINS,
        name="reviews",
        location="us-central1",
    )
    add(
        world,
        "gcp:cloudscheduler/job:Job",
        f"projects/{PROJECT}/locations/us-central1/jobs/reviews-batch",
        name="reviews-batch",
        httpTarget={
            "uri": f"https://run.googleapis.com/v2/{ID}:run",
            "oauthToken": {"serviceAccountEmail": BEGINS},
        },
    )


def on(world: World, home: Path, work: Callable[[Emulator], Awaitable[None]]) -> None:
    async def run() -> None:
        async with emulate(world, home, skip=True) as emulator:
            await work(emulator)

    asyncio.run(run())


def test_a_batch_that_is_killed_goes_on_and_asks_nothing_twice(world: World, tmp_path: Path):
    a_batch(world)
    told: list[str] = []

    async def work(emulator: Emulator) -> None:
        (batch,) = batches(emulator)
        checks = await play(batch, told.append)
        assert [f"{each.what}: {each.found}" for each in checks if not each.good] == []
        assert len(checks) == 6

    on(world, tmp_path, work)
    assert any("killed with" in line for line in told)


def test_without_its_rights_a_batch_fails_and_says_why(world: World, tmp_path: Path):
    a_batch(world, tasks=1, retries=0)
    for each in world.by_type(READER):
        world.remove(*each.key)

    async def work(emulator: Emulator) -> None:
        (batch,) = batches(emulator)
        batch.put()
        execution = batch.running.begin()
        assert not await execution.run()
        assert execution.attempts == 1

    on(world, tmp_path, work)
    log = (tmp_path / "instances" / "reviews.log").read_text()
    assert f"{ACCOUNT} has no storage.objects.list" in log


def test_whoever_may_not_begin_it_is_found(world: World, tmp_path: Path):
    a_batch(world)

    def another(inputs: dict[str, Any]) -> None:
        inputs["role"] = "roles/run.viewer"

    alter(world, "gcp:cloudrunv2/jobIamMember:JobIamMember", another)

    async def work(emulator: Emulator) -> None:
        (check,) = begun(batches(emulator)[0])
        assert (check.what, check.found) == ("its schedule may begin it", False)

    on(world, tmp_path, work)


def test_an_image_of_others_is_left_out_with_the_reason(world: World, tmp_path: Path):
    a_batch(world, image="somebody-elses")

    async def work(emulator: Emulator) -> None:
        assert not emulator.jobs
        assert "allowed here: images whose last part is" in emulator.elsewhere["reviews"]

    on(world, tmp_path, work)


def test_what_the_policy_denies_is_left_out_with_the_reason(world: World, tmp_path: Path):
    a_batch(world)

    def asks(inputs: dict[str, Any]) -> None:
        inputs["binaryAuthorization"] = {"useDefault": True}

    alter(world, JOB, asks)
    rule = {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}
    add(world, POLICY, f"projects/{PROJECT}", defaultAdmissionRule=rule)

    async def work(emulator: Emulator) -> None:
        assert not emulator.jobs
        assert "not authorized by policy" in emulator.elsewhere["reviews"]

    on(world, tmp_path, work)


def execution(tmp_path: Path, code: str, **changes: Any) -> Execution:
    given: dict[str, Any] = {
        "id": ID,
        "name": "reviews",
        "project": PROJECT,
        "image": "",
        "command": (),
        "environment": {},
        "files": {},
        "account": ACCOUNT,
        "tasks": 3,
        "at_once": 1,
        "retries": 2,
        "timeout": 60.0,
        **changes,
    }
    job = CloudRunJob(**given)
    command = [sys.executable, "-c", code]
    running = RunningJob(job, "", command, {"MARKS": str(tmp_path)}, tmp_path / "logs")
    return running.begin()


@pytest.mark.parametrize(
    ("code", "good", "attempts"),
    [
        ("", True, 3),
        ("raise SystemExit(1)", False, 9),
        # The second try goes well.
        ("import os, sys; sys.exit(os.environ['CLOUD_RUN_TASK_ATTEMPT'] == '0')", True, 6),
        (_THIRDS, True, 3),
    ],
)
def test_a_task_that_fails_is_tried_again(tmp_path: Path, code: str, good: bool, attempts: int):
    running = execution(tmp_path, code)
    assert asyncio.run(running.run()) == good
    assert running.attempts == attempts


def test_a_task_that_takes_too_long_is_killed(tmp_path: Path):
    running = execution(tmp_path, "import time; time.sleep(60)", tasks=1, retries=0, timeout=0.3)
    assert not asyncio.run(running.run())


def test_no_more_tasks_run_at_once_than_the_job_says(tmp_path: Path):
    code = (
        "import os, pathlib, time; here = pathlib.Path(os.environ['MARKS']); "
        "mark = here / f'{os.getpid()}.now'; mark.touch(); time.sleep(0.1); "
        "(here / f'{os.getpid()}.seen').write_text(str(len(list(here.glob('*.now'))))); "
        "mark.unlink()"
    )
    assert asyncio.run(execution(tmp_path, code, tasks=4, at_once=2).run())
    seen = [int(file.read_text()) for file in tmp_path.glob("*.seen")]
    assert len(seen) == 4
    assert max(seen) <= 2
