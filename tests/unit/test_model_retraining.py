"""ModelRetraining: what begins a run, who may do what, and what tells somebody."""

import pulumi
import pytest

from components.training.model_retraining import ModelRetraining, ModelRetrainingArgs
from tests.unit import examples
from tests.unit.harness import Deploy

ARGS: ModelRetrainingArgs = examples.arguments("ModelRetraining")
NAME = "sentiment"
PROJECT = "acme-inference-test"
WATCHES = f"serviceAccount:{NAME}-training-run@{PROJECT}.iam.gserviceaccount.com"
TRAINS = f"serviceAccount:{NAME}-steps@{PROJECT}.iam.gserviceaccount.com"
POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"


def test_alerts_and_both_schedules_come_by_the_one_topic(deploy: Deploy):
    cloud = deploy(lambda: ModelRetraining(NAME, ARGS))
    topic = cloud.one("gcp:pubsub/topic:Topic", f"{NAME}-training-topic").id
    jobs = cloud.all("gcp:cloudscheduler/job:Job")
    assert {job.inputs["pubsubTarget"]["topicName"] for job in jobs} == {topic}
    assert {
        job.inputs["pubsubTarget"]["attributes"]["action"]: job.inputs["schedule"] for job in jobs
    } == {
        "check": "0 * * * *",
        "retrain": "0 3 * * 1",
    }
    channel = cloud.one("gcp:monitoring/notificationChannel:NotificationChannel")
    assert channel.inputs["labels"] == {"topic": topic}


def test_an_alert_on_drift_is_told_once_an_hour_and_begins_a_run(deploy: Deploy):
    told = ["projects/acme-inference-test/notificationChannels/1"]
    cloud = deploy(lambda: ModelRetraining(NAME, {**ARGS, "channels": told}))
    drift, failed = (cloud.one(POLICY, f"{NAME}-{each}").inputs for each in ("drift", "failed"))
    assert drift["alertStrategy"]["notificationRateLimit"] == {"period": "3600s"}
    (condition,) = drift["conditions"]
    assert condition["conditionMatchedLog"]["filter"].endswith(
        'jsonPayload.event=("drift" OR "quality")'
    )
    assert len(drift["notificationChannels"]) == 2
    assert failed["notificationChannels"] == told


def test_training_and_watching_are_two_accounts_with_what_each_needs(deploy: Deploy):
    cloud = deploy(lambda: ModelRetraining(NAME, ARGS))
    rights: dict[str, set[str]] = {WATCHES: set(), TRAINS: set()}
    for resource in cloud.resources:
        if resource.type.lower().endswith("iammember") and resource.inputs["member"] in rights:
            rights[resource.inputs["member"]].add(str(resource.inputs["role"]).rpartition("/")[2])
    begins = cloud.one("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert begins.inputs["permissions"] == [
        "aiplatform.models.update",
        "aiplatform.pipelineJobs.create",
        "aiplatform.pipelineJobs.get",
    ]
    assert rights[TRAINS] == {
        "bigquery.dataViewer",
        "bigquery.jobUser",
        "aiplatform.user",
        "storage.objectUser",
    }
    common = {"bigquery.dataViewer", "bigquery.jobUser", "storage.objectUser"}
    assert common | {"iam.serviceAccountUser"} < rights[WATCHES]


def test_the_watched_account_reads_versions_and_nothing_else(deploy: Deploy):
    cloud = deploy(lambda: ModelRetraining(NAME, ARGS))
    held = [
        each.inputs["role"]
        for each in cloud.resources
        if each.inputs.get("member") == f"serviceAccount:{ARGS['watched_account']}"
    ]
    assert held == ["roles/storage.objectViewer"]


@pytest.mark.parametrize("schedule", ["hourly", "0 * * *", "0 * * * * *", "@daily", "60s"])
def test_a_schedule_that_is_none_is_refused(deploy: Deploy, schedule: str):
    with pytest.raises(pulumi.InputPropertiesError, match="five fields of cron"):
        deploy(lambda: ModelRetraining(NAME, {**ARGS, "check_schedule": schedule}))
