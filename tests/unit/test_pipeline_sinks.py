"""Where a pipeline's messages go beside its service."""

import json
import re
from typing import Any, cast

import pytest

from components.operations.watched_pipelines import SINKS, pipeline_matchers
from components.serverless.dataflow_job import DataflowJobArgs, validate_dataflow_job
from components.serverless.message_table import MessageTableArgs, validate_message_table
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import (
    PubSubCloudRunPipelineArgs,
    validate_pubsub_cloud_run_pipeline,
)
from components.serverless.pull_subscription import (
    PullSubscriptionArgs,
    validate_pull_subscription,
)
from config.load import from_mapping
from stacks.platform import build_platform
from tests.config.samples import SOURCE, values
from tests.unit import serverless_arguments as arguments
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Cloud, Deploy, run
from tests.unit.test_pubsub_cloud_run_pipeline import MINIMAL, RECORD, SUBSCRIPTION

JOB = "gcp:dataflow/flexTemplateJob:FlexTemplateJob"
FIELDS = [{"name": "text", "type": "STRING"}]


def _deploy(deploy: Deploy, **change: Any) -> Cloud:
    args = cast("PubSubCloudRunPipelineArgs", {**MINIMAL, **change})
    return deploy(lambda: PubSubCloudRunPipeline("texts", args).topic_id)


def test_without_being_asked_for_there_is_none(deploy: Deploy):
    cloud = _deploy(deploy)
    names = {each.inputs["name"] for each in cloud.all(SUBSCRIPTION)}
    assert names == {"texts-push", "texts-dead-letter"}


def test_each_subscription_job_and_service_is_watched_by_its_name(deploy: Deploy):
    cloud = _deploy(
        deploy,
        archive={},
        bigquery_export={},
        exactly_once_pull=True,
        dataflow={"fields": FIELDS},
        subnetwork="projects/p/regions/us-central1/subnetworks/nodes",
    )
    watched = {
        key: set(re.findall(r"[\w-]+", matcher.partition("~")[2]))
        for key, matcher in pipeline_matchers({"texts": {"sinks": SINKS}}).items()
    }
    subscriptions = [each.inputs for each in cloud.all(SUBSCRIPTION)]
    assert watched["subscriptions"] == {each["name"] for each in subscriptions}
    forwarding = {each["name"] for each in subscriptions if "deadLetterPolicy" in each}
    assert watched["forwarding"] == forwarding
    exports = {"bigqueryConfig", "cloudStorageConfig"}
    assert watched["exports"] == {each["name"] for each in subscriptions if exports & each.keys()}
    assert watched["jobs"] == {cloud.one(JOB).inputs["name"]}
    assert watched["services"] == {cloud.one("gcp:cloudrunv2/service:Service").inputs["name"]}


def test_raw_messages_go_to_a_table_as_bytes_with_their_metadata(deploy: Deploy):
    cloud = _deploy(deploy, bigquery_export={"filter": "attributes:a"})
    (subscription,) = cloud.all(SUBSCRIPTION, "texts-messages-subscription")
    assert subscription.inputs["filter"] == "attributes:a"
    assert subscription.inputs["bigqueryConfig"] == {
        "table": f"{PROJECT_ID}.texts_messages.messages",
        "useTopicSchema": False,
        "writeMetadata": True,
        "dropUnknownFields": False,
    }
    (table,) = cloud.all("gcp:bigquery/table:Table", "texts-messages.*")
    assert '"data", "type": "BYTES"' in table.inputs["schema"]
    assert table.inputs["timePartitioning"]["field"] == "publish_time"
    (grant,) = cloud.all("gcp:bigquery/iamMember:IamMember", "texts-messages.*")
    assert cloud.requires(subscription, grant)
    assert subscription.inputs["deadLetterPolicy"]


def test_fields_of_a_protobuf_schema_become_columns(deploy: Deploy):
    definition = """syntax = "proto3"; message Order {
      enum Size { SMALL = 0; LARGE = 1; }
      string id = 1; optional double price = 2; repeated uint64 numbers = 3; Size size = 4;
    }"""
    cloud = _deploy(
        deploy,
        message_schema={"type": "protobuf", "definition": definition},
        bigquery_export={"use_topic_schema": True},
    )
    (table,) = cloud.all("gcp:bigquery/table:Table", "texts-messages.*")
    columns = [(c["name"], c["type"], c["mode"]) for c in json.loads(table.inputs["schema"])]
    assert columns[4:] == [
        ("id", "STRING", "NULLABLE"),
        ("price", "FLOAT", "NULLABLE"),
        ("numbers", "NUMERIC", "REPEATED"),
        ("size", "INTEGER", "NULLABLE"),
    ]


@pytest.mark.parametrize(
    ("archive", "files"),
    [
        (
            {"format": "text", "max_seconds": 60, "max_bytes": 1000},
            {"filenameSuffix": ".txt", "maxDuration": "60s", "maxBytes": 1000},
        ),
        (
            {},
            {
                "filenameSuffix": ".avro",
                "maxDuration": "300s",
                "avroConfig": {"writeMetadata": True, "useTopicSchema": False},
            },
        ),
    ],
)
def test_archives_end_their_files_as_asked(
    deploy: Deploy, archive: dict[str, Any], files: dict[str, Any]
):
    (subscription,) = _deploy(deploy, archive=archive).all(SUBSCRIPTION, ".*-archive-.*")
    config = dict(subscription.inputs["cloudStorageConfig"])
    del config["bucket"], config["filenameDatetimeFormat"]
    assert config == files
    assert subscription.inputs["ackDeadlineSeconds"] >= 300


def test_fields_of_the_schema_become_columns(deploy: Deploy):
    cloud = _deploy(
        deploy,
        message_schema={"type": "avro", "definition": RECORD, "encoding": "binary"},
        bigquery_export={"use_topic_schema": True},
    )
    (table,) = cloud.all("gcp:bigquery/table:Table", "texts-messages.*")
    assert '{"name": "t", "type": "STRING", "mode": "REQUIRED"}' in table.inputs["schema"]
    topic = cloud.one("gcp:pubsub/topic:Topic", "texts-topic")
    assert topic.inputs["schemaSettings"]["encoding"] == "BINARY"


def test_another_consumer_gets_each_message_once_by_an_account_of_its_own(deploy: Deploy):
    cloud = _deploy(deploy, exactly_once_pull=True, ordering=True, filter="attributes:a")
    (subscription,) = cloud.all(SUBSCRIPTION, "texts-pull-subscription")
    assert subscription.inputs["enableExactlyOnceDelivery"] is True
    assert subscription.inputs["enableMessageOrdering"] is True
    assert subscription.inputs["filter"] == "attributes:a"
    assert "pushConfig" not in subscription.inputs
    grants = cloud.all("gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember", "texts-pull-.*")
    assert {grant.inputs["member"] for grant in grants} == {
        f"serviceAccount:texts-pull@{PROJECT_ID}.iam.gserviceaccount.com",
        f"serviceAccount:{arguments.AGENT}",
    }


def test_the_streaming_job_reads_its_own_subscription_on_private_workers(deploy: Deploy):
    subnetwork = f"projects/{PROJECT_ID}/regions/us-central1/subnetworks/nodes"
    cloud = _deploy(deploy, dataflow={"fields": FIELDS}, subnetwork=subnetwork)
    job = cloud.one(JOB)
    assert job.inputs["ipConfiguration"] == "WORKER_IP_PRIVATE"
    assert job.inputs["subnetwork"] == "regions/us-central1/subnetworks/nodes"
    shared = "projects/host/regions/us-central1/subnetworks/nodes"
    cloud = _deploy(deploy, dataflow={"fields": FIELDS}, subnetwork=shared)
    (job,) = cloud.all(job.type)
    assert job.inputs["subnetwork"] == f"https://www.googleapis.com/compute/v1/{shared}"
    assert job.inputs["onDelete"] == "drain"
    account = job.inputs["serviceAccountEmail"]
    grants = [
        each for each in cloud.resources if each.inputs.get("member") == f"serviceAccount:{account}"
    ]
    assert {each.inputs["role"] for each in grants} == {
        "roles/dataflow.worker",
        "roles/storage.objectUser",
        "roles/pubsub.subscriber",
        "roles/pubsub.viewer",
        "roles/bigquery.dataEditor",
    }
    assert all(cloud.requires(job, grant) for grant in grants)
    (subscription,) = cloud.all(SUBSCRIPTION, "texts-dataflow-subscription")
    assert subscription.inputs["enableExactlyOnceDelivery"] is False
    assert job.inputs["parameters"] == {
        "inputSubscription": subscription.id,
        "outputTableSpec": f"{PROJECT_ID}:texts_dataflow.rows",
        "outputDeadletterTable": f"{PROJECT_ID}:texts_dataflow.errors",
    }


def test_nothing_is_published_before_every_way_is_there(deploy: Deploy):
    def program() -> Any:
        args: Any = {
            **MINIMAL,
            "archive": {},
            "bigquery_export": {},
            "exactly_once_pull": True,
        }

        async def waited_for(output: Any) -> list[str]:
            urns = [await resource.urn.future() for resource in await output.resources()]
            return [str(urn).rpartition("::")[2] for urn in urns]

        return waited_for(PubSubCloudRunPipeline("texts", args).topic_id)

    names = set(deploy(program).value)
    assert {
        *("texts-push", "texts-archive-subscription"),
        *("texts-messages-subscription", "texts-pull-subscription"),
    } <= names


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"filter": "lang = en"}, "filter"),
        ({"bigquery_export": {"filter": "a"}}, "bigquery_export.filter"),
        ({"bigquery_export": {"use_topic_schema": True}}, "bigquery_export.use_topic_schema"),
        (
            {"bigquery_export": {"partition_expiration_days": 0}},
            "bigquery_export.partition_expiration_days",
        ),
        ({"dataflow": {"fields": FIELDS}}, "subnetwork"),
        ({"dataflow": {"fields": []}, "subnetwork": "s"}, "dataflow.fields"),
        (
            {"dataflow": {"fields": FIELDS, "template": "a"}, "subnetwork": "s"},
            "dataflow.template",
        ),
        (
            {
                "dataflow": {"fields": FIELDS, "parameters": {"outputTableSpec": "t"}},
                "subnetwork": "s",
            },
            "dataflow.parameters.outputTableSpec",
        ),
        (
            {"dataflow": {"fields": FIELDS, "max_workers": 0}, "subnetwork": "s"},
            "dataflow.max_workers",
        ),
    ],
)
def test_wrong_ways_are_named(change: Any, path: str):
    args = cast("PubSubCloudRunPipelineArgs", {**MINIMAL, **change})
    found = validate_pubsub_cloud_run_pipeline("texts", args).found
    assert [problem["property_path"] for problem in found] == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"consumers": {}}, "consumers"),
        ({"max_delivery_attempts": 101}, "max_delivery_attempts"),
        ({"retention_days": 32}, "retention_days"),
        ({"retry": {"maximum_seconds": 601}}, "retry.maximum_seconds"),
        ({"filter": "attributes.a"}, "filter"),
    ],
)
def test_a_wrong_pull_subscription_is_refused(change: Any, path: str):
    args = cast("PullSubscriptionArgs", {**arguments.PULL, **change})
    found = validate_pull_subscription("texts", args).found
    assert [problem["property_path"] for problem in found] == [path]


def test_names_and_days_of_the_other_parts_are_checked():
    table = cast("MessageTableArgs", {**arguments.MESSAGE_TABLE, "retention_days": 0})
    found = validate_message_table("texts", table).found
    assert [problem["property_path"] for problem in found] == ["retention_days"]
    job = cast("DataflowJobArgs", {**arguments.DATAFLOW_JOB, "project": "p" * 30})
    found = validate_dataflow_job("t" * 30, job).found
    assert [problem["property_path"] for problem in found] == ["name"]


def test_a_service_may_get_the_data_alone(deploy: Deploy):
    push = _deploy(deploy, unwrapped=True).one(SUBSCRIPTION, "texts-push").inputs
    assert push["pushConfig"]["noWrapper"] == {"writeMetadata": True}
    assert "noWrapper" not in _deploy(deploy).one(SUBSCRIPTION, "texts-push").inputs["pushConfig"]


def test_files_of_the_archive_begin_as_told(deploy: Deploy):
    cloud = _deploy(deploy, archive={"prefix": "texts/"})
    (files,) = (
        each.inputs["cloudStorageConfig"]
        for each in cloud.all(SUBSCRIPTION)
        if "cloudStorageConfig" in each.inputs
    )
    assert files["filenamePrefix"] == "texts/"


def test_keys_of_json_messages_become_columns_and_others_are_left_out(deploy: Deploy):
    cloud = _deploy(deploy, bigquery_export={"fields": FIELDS, "drop_unknown_fields": True})
    (config,) = (
        each.inputs["bigqueryConfig"]
        for each in cloud.all(SUBSCRIPTION)
        if "bigqueryConfig" in each.inputs
    )
    assert (config["useTableSchema"], config["dropUnknownFields"]) == (True, True)
    assert not config["useTopicSchema"]
    table = cloud.one("gcp:bigquery/table:Table", "texts-messages-rows-table").inputs
    names = [field["name"] for field in json.loads(table["schema"])]
    assert names == ["subscription_name", "message_id", "publish_time", "attributes", "text"]


def test_two_services_take_the_messages_of_one_topic():
    config = values()
    image = "us-docker.pkg.dev/acme/services/scores:1.0"
    # Written first, it is made last all the same.
    scores = {"region": "us-central1", "image": image, "topic_of": "sentiment"}
    config["pipelines"] = {"scores": scores, **config["pipelines"]}
    cloud = run(lambda: build_platform(from_mapping(config, SOURCE)))
    pushes = {
        each.inputs["name"]: each.inputs["topic"]
        for each in cloud.all(SUBSCRIPTION)
        if "pushConfig" in each.inputs
    }
    assert pushes.keys() == {"scores-push", "sentiment-push"}
    assert len(set(pushes.values())) == 1
    topics = {each.inputs["name"] for each in cloud.all("gcp:pubsub/topic:Topic")}
    # The other one is that of alerts.
    assert topics - {"incidents"} == {
        "sentiment",
        "sentiment-dead-letter",
        "scores-dead-letter",
    }
