"""BatchInference: what the task is told, what its account may do, and what begins it."""

from typing import Any

import pulumi
import pytest

from components.serverless.batch_inference import BatchInference, BatchInferenceArgs
from tests.unit import examples
from tests.unit.harness import Deploy

ARGS: BatchInferenceArgs = examples.arguments("BatchInference")
NAME = "reviews"
PROJECT = "acme-inference-test"
JOB = "gcp:cloudrunv2/job:Job"
TABLES: BatchInferenceArgs = {
    **ARGS,
    "input": {"table": "acme.batches.reviews", "time_column": "written_at", "days": 3},
    "output": {"table": "acme.inference.predictions"},
    "system_prompt": "Be short.",
    "max_tokens": 64,
}


def rights(cloud: Any) -> set[str]:
    account = f"serviceAccount:{NAME}-batch@{PROJECT}.iam.gserviceaccount.com"
    return {
        str(each.inputs["role"]).rpartition("/")[2]
        for each in cloud.resources
        if each.type.lower().endswith("iammember") and each.inputs["member"] == account
    }


def task(cloud: Any) -> dict[str, Any]:
    return cloud.one(JOB).inputs["template"]["template"]


def told(cloud: Any) -> dict[str, str]:
    (container,) = task(cloud)["containers"]
    return {each["name"]: each.get("value", "") for each in container["envs"]}


def test_a_task_is_told_what_to_ask_and_where_results_go(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, {**ARGS, "objective": "qwen3-4b-l4-batch"}))
    assert told(cloud) == {
        **ARGS["environment"],
        "BATCH_CONCURRENCY": "8",
        "BATCH_INPUT": "gs://acme-batches/requests/*",
        "BATCH_NAME": NAME,
        "BATCH_OBJECTIVE": "qwen3-4b-l4-batch",
        "BATCH_OUTPUT": "gs://acme-batches/results/",
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }
    assert (
        told(deploy(lambda: BatchInference(NAME, TABLES))).items()
        >= {
            "BATCH_INPUT": "bq://acme.batches.reviews",
            "BATCH_INPUT_TIME": "written_at",
            "BATCH_INPUT_DAYS": "3",
            "BATCH_SYSTEM_PROMPT": "Be short.",
            "BATCH_MAX_TOKENS": "64",
            "PREDICTIONS_TABLE": "acme.inference.predictions",
        }.items()
    )


def test_a_failed_task_is_started_anew_and_all_run_at_once(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, {**ARGS, "tasks": 4, "retries": 2}))
    template = cloud.one(JOB).inputs["template"]
    assert (template["taskCount"], template["parallelism"]) == (4, 4)
    assert (task(cloud)["maxRetries"], task(cloud)["timeout"]) == (2, "86400s")


def test_its_account_adds_files_and_changes_none(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, ARGS))
    assert rights(cloud) == {"storage.objectViewer", "storage.objectCreator"}
    assert len(cloud.all("gcp:storage/bucketIAMMember:BucketIAMMember")) == 2


def test_its_account_reads_the_one_table_and_writes_the_other(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, TABLES))
    assert rights(cloud) == {"bigquery.dataViewer", "bigquery.dataEditor", "bigquery.jobUser"}
    grants = {
        each.inputs["tableId"]: each.inputs["role"]
        for each in cloud.all("gcp:bigquery/iamMember:IamMember")
    }
    assert grants == {
        "reviews": "roles/bigquery.dataViewer",
        "predictions": "roles/bigquery.dataEditor",
    }


def test_the_schedule_begins_the_one_job_and_may_nothing_else(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, ARGS))
    target = cloud.one("gcp:cloudscheduler/job:Job").inputs["httpTarget"]
    assert target["uri"].endswith(f"/projects/{PROJECT}/locations/us-central1/jobs/{NAME}:run")
    begins = target["oauthToken"]["serviceAccountEmail"]
    grants = [
        each
        for each in cloud.resources
        if each.type.lower().endswith("iammember")
        and each.inputs["member"] == f"serviceAccount:{begins}"
    ]
    assert [each.inputs["role"] for each in grants] == ["roles/run.jobsExecutor"]
    assert grants[0].inputs["name"] == NAME


def test_without_a_schedule_runs_begin_by_hand(deploy: Deploy):
    cloud = deploy(lambda: BatchInference(NAME, {**ARGS, "schedule": None}))
    assert not cloud.all("gcp:cloudscheduler/job:Job")
    assert len(cloud.all("gcp:serviceaccount/account:Account")) == 1


def test_a_failed_run_is_told_where_somebody_listens(deploy: Deploy):
    policy = "gcp:monitoring/alertPolicy:AlertPolicy"
    assert not deploy(lambda: BatchInference(NAME, ARGS)).all(policy)
    channels = ["projects/acme-inference-test/notificationChannels/1"]
    found = deploy(lambda: BatchInference(NAME, {**ARGS, "channels": channels})).one(policy).inputs
    (condition,) = found["conditions"]
    assert 'job_name="reviews"' in condition["conditionThreshold"]["filter"]
    assert found["notificationChannels"] == channels


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"input": {}}, "input: found neither bucket nor table"),
        ({"output": {"bucket": "b", "table": "a.b.c"}}, "output: found bucket and table"),
        ({"output": {"bucket": "b"}}, "output.prefix: found nothing"),
        ({"input": {"table": "a.b.c", "prefix": "in/"}}, "input.prefix: found 'in/'"),
        ({"output": {"bucket": "acme-batches", "prefix": "requests/out/"}}, "output.prefix"),
        ({"memory_mib": 30000}, "memory_mib"),
        ({"schedule": "nightly"}, "schedule"),
        ({"secrets": {"LLM_API_KEY": {"secret": "key"}}}, "secrets.LLM_API_KEY.secret"),
    ],
)
def test_what_could_not_work_is_refused(deploy: Deploy, wrong: Any, message: str):
    with pytest.raises(pulumi.InputPropertiesError, match=message):
        deploy(lambda: BatchInference(NAME, {**ARGS, **wrong}))
