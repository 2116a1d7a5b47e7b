"""PubSubCloudRunPipeline: no message lost, nobody else calls the service, no right too many."""

import json
from typing import Any, cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.cloud_run import CPUS
from catalog.limits.storage import MINIMUM_DAYS
from components.serverless.message_archive import lifecycle
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import (
    PubSubCloudRunPipelineArgs,
    validate_pubsub_cloud_run_pipeline,
)
from tests.unit.cloud_answers import PROJECT_ID, PROJECT_NUMBER
from tests.unit.harness import Cloud, Deploy, Recorded

ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_GRANT = "gcp:serviceaccount/iAMMember:IAMMember"
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
DATASET = "gcp:bigquery/dataset:Dataset"
SCHEMA = "gcp:pubsub/schema:Schema"
SERVICE = "gcp:cloudrunv2/service:Service"
SERVICE_GRANT = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SUBSCRIPTION_GRANT = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
TABLE = "gcp:bigquery/table:Table"
TABLE_GRANT = "gcp:bigquery/iamMember:IamMember"
TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_GRANT = "gcp:pubsub/topicIAMMember:TopicIAMMember"

AGENT = f"service-{PROJECT_NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
RUN = f"sentiment-run@{PROJECT_ID}.iam.gserviceaccount.com"
PUSH = f"sentiment-push@{PROJECT_ID}.iam.gserviceaccount.com"
TOPIC_ID = f"projects/{PROJECT_ID}/topics/sentiment"
DEAD_LETTER_ID = f"projects/{PROJECT_ID}/topics/sentiment-dead-letter"
URI = "https://service-uc.a.run.app"
RECORD = json.dumps({"type": "record", "name": "Text", "fields": [{"name": "t", "type": "string"}]})

MINIMAL: PubSubCloudRunPipelineArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "pubsub_service_agent": AGENT,
    "image": "us-docker.pkg.dev/acme/services/sentiment:1",
}
ARGS: PubSubCloudRunPipelineArgs = {
    **MINIMAL,
    "archive": {},
    "message_schema": {"type": "avro", "definition": RECORD},
}


def _deploy(deploy: Deploy, args: PubSubCloudRunPipelineArgs = ARGS) -> Cloud:
    return deploy(lambda: PubSubCloudRunPipeline("sentiment", args))


def _reasons(args: PubSubCloudRunPipelineArgs, name: str = "sentiment") -> dict[str, str]:
    found = validate_pubsub_cloud_run_pipeline(name, args).found
    return {problem["property_path"]: problem["reason"] for problem in found}


def _grants(cloud: Cloud) -> list[Recorded]:
    return [r for r in cloud.resources if r.type.lower().endswith("iammember")]


# Delivery


def test_messages_are_pushed_to_the_service_with_a_signed_token(deploy: Deploy):
    inputs = _deploy(deploy).one(SUBSCRIPTION, "sentiment-push").inputs
    assert inputs["topic"] == TOPIC_ID
    assert inputs["pushConfig"] == {
        "pushEndpoint": URI,
        "oidcToken": {"serviceAccountEmail": PUSH, "audience": URI},
    }


def test_a_failed_message_is_tried_again_ever_slower_then_put_aside(deploy: Deploy):
    inputs = _deploy(deploy).one(SUBSCRIPTION, "sentiment-push").inputs
    assert inputs["ackDeadlineSeconds"] == 60
    assert inputs["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}
    assert inputs["deadLetterPolicy"] == {
        "deadLetterTopic": DEAD_LETTER_ID,
        "maxDeliveryAttempts": 5,
    }


def test_delivery_is_the_users(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {
        **ARGS,
        "ack_deadline_seconds": 300,
        "max_delivery_attempts": 20,
        "retry": {"minimum_seconds": 1, "maximum_seconds": 30},
        "retention_days": 3,
    }
    cloud = _deploy(deploy, args)
    inputs = cloud.one(SUBSCRIPTION, "sentiment-push").inputs
    assert inputs["ackDeadlineSeconds"] == 300
    assert inputs["retryPolicy"] == {"minimumBackoff": "1s", "maximumBackoff": "30s"}
    assert inputs["deadLetterPolicy"]["maxDeliveryAttempts"] == 20
    for resource in (*cloud.all(TOPIC), *cloud.all(SUBSCRIPTION)):
        assert resource.inputs["messageRetentionDuration"] == "259200s"


def test_no_subscription_ever_expires(deploy: Deploy):
    subscriptions = _deploy(deploy).all(SUBSCRIPTION)
    assert len(subscriptions) == 3
    for subscription in subscriptions:
        assert subscription.inputs["expirationPolicy"] == {"ttl": ""}


def test_dead_messages_are_kept_to_be_pulled(deploy: Deploy):
    inputs = _deploy(deploy).one(SUBSCRIPTION, "sentiment-dead-letter-subscription").inputs
    assert inputs["topic"] == DEAD_LETTER_ID
    assert inputs["name"] == "sentiment-dead-letter"
    assert "pushConfig" not in inputs


def test_messages_stay_in_the_region(deploy: Deploy):
    for topic in _deploy(deploy).all(TOPIC):
        policy = topic.inputs["messageStoragePolicy"]
        assert policy == {"allowedPersistenceRegions": ["us-central1"]}


@pytest.mark.parametrize(
    ("type_", "encoding", "expected"),
    [
        ("avro", {}, ("AVRO", "JSON")),
        ("avro", {"encoding": "binary"}, ("AVRO", "BINARY")),
        ("protobuf", {}, ("PROTOCOL_BUFFER", "JSON")),
    ],
)
def test_messages_must_fit_the_schema(
    deploy: Deploy, type_: str, encoding: Any, expected: tuple[str, str]
):
    definition = RECORD if type_ == "avro" else 'syntax = "proto3"; message Text { string t = 1; }'
    message_schema: Any = {"type": type_, "definition": definition, **encoding}
    cloud = _deploy(deploy, {**ARGS, "message_schema": message_schema})
    schema = cloud.one(SCHEMA)
    assert schema.inputs["type"] == expected[0]
    assert schema.inputs["definition"] == definition
    assert cloud.one(TOPIC, "sentiment-topic").inputs["schemaSettings"] == {
        "schema": schema.id,
        "encoding": expected[1],
    }


@pytest.mark.parametrize("args", [MINIMAL, {**MINIMAL, "message_schema": None}])
def test_without_a_schema_any_message_goes(deploy: Deploy, args: PubSubCloudRunPipelineArgs):
    cloud = _deploy(deploy, args)
    assert not cloud.all(SCHEMA)
    assert "schemaSettings" not in cloud.one(TOPIC, "sentiment-topic").inputs


# Rights


def test_rights_are_exactly_these(deploy: Deploy):
    found = {
        (g.type, g.inputs["role"], g.inputs["member"].removeprefix("serviceAccount:"))
        for g in _grants(_deploy(deploy))
    }
    assert found == {
        (SERVICE_GRANT, "roles/run.invoker", PUSH),
        (ACCOUNT_GRANT, "roles/iam.serviceAccountTokenCreator", AGENT),
        (TABLE_GRANT, "roles/bigquery.dataEditor", RUN),
        (TOPIC_GRANT, "roles/pubsub.publisher", AGENT),
        (SUBSCRIPTION_GRANT, "roles/pubsub.subscriber", AGENT),
        (BUCKET_GRANT, "roles/storage.objectCreator", AGENT),
        (BUCKET_GRANT, "roles/storage.legacyBucketReader", AGENT),
    }


def test_every_right_is_on_one_resource(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(SERVICE_GRANT).inputs["name"] == "sentiment-service"
    account = cloud.one(ACCOUNT, "sentiment-push")
    assert cloud.one(ACCOUNT_GRANT).inputs["serviceAccountId"] == account.outputs["name"]
    table = cloud.one(TABLE_GRANT).inputs
    assert (table["datasetId"], table["tableId"]) == ("sentiment_results", "results")
    assert cloud.one(TOPIC_GRANT).inputs["topic"] == "sentiment-dead-letter"
    assert cloud.one(SUBSCRIPTION_GRANT).inputs["subscription"] == "sentiment-push"
    assert {g.inputs["bucket"] for g in cloud.all(BUCKET_GRANT)} == {
        f"{PROJECT_ID}-sentiment-archive"
    }


def test_nobody_on_the_internet_can_call_or_read(deploy: Deploy):
    cloud = _deploy(deploy)
    service = cloud.one(SERVICE).inputs
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert service["invokerIamDisabled"] is False
    bucket = cloud.one(BUCKET).inputs
    assert bucket["publicAccessPrevention"] == "enforced"
    assert bucket["uniformBucketLevelAccess"] is True
    for resource in cloud.resources:
        assert "allUsers" not in str(resource.inputs)
        assert "allAuthenticatedUsers" not in str(resource.inputs)


def test_service_runs_as_another_account_than_it_is_called_as(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(SERVICE).inputs["template"]["serviceAccount"] == RUN
    outputs = cloud.outputs[cloud.one("inference:index:PubSubCloudRunPipeline").urn]
    assert (outputs["runtime_service_account"], outputs["push_service_account"]) == (RUN, PUSH)


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ((SUBSCRIPTION, "sentiment-push"), (SERVICE_GRANT, ".*")),
        ((SUBSCRIPTION, "sentiment-push"), (ACCOUNT_GRANT, ".*")),
        ((SUBSCRIPTION, "sentiment-push"), (TOPIC_GRANT, ".*")),
        ((SUBSCRIPTION, "sentiment-push"), (SUBSCRIPTION, "sentiment-dead-letter-subscription")),
        ((SUBSCRIPTION, "sentiment-archive-subscription"), (BUCKET_GRANT, ".*-write")),
        ((SUBSCRIPTION, "sentiment-archive-subscription"), (BUCKET_GRANT, ".*-check")),
        ((SERVICE, ".*"), (TABLE_GRANT, ".*")),
    ],
)
def test_rights_are_there_before_they_are_used(
    deploy: Deploy, later: tuple[str, str], earlier: tuple[str, str]
):
    cloud = _deploy(deploy)
    assert cloud.requires(cloud.one(*later), cloud.one(*earlier))


def test_publishers_wait_until_no_message_can_get_lost(deploy: Deploy):
    def program() -> Any:
        async def waited_for(output: pulumi.Output[str]) -> list[str]:
            urns = [await resource.urn.future() for resource in await output.resources()]
            return [str(urn).rpartition("::")[2] for urn in urns]

        return waited_for(PubSubCloudRunPipeline("sentiment", ARGS).topic_id)

    assert {
        "sentiment-push",
        "sentiment-push-forward",
        "sentiment-archive-subscription",
    } <= set(deploy(program).value)


# Service


def test_service_scales_from_none_to_its_limit(deploy: Deploy):
    template = _deploy(deploy).one(SERVICE).inputs["template"]
    assert template["scaling"] == {"minInstanceCount": 0, "maxInstanceCount": 5}
    assert template["maxInstanceRequestConcurrency"] == 40
    assert template["timeout"] == "60s"
    assert template["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN2"


def test_service_is_sized_by_the_user(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {
        **ARGS,
        "cpu": "2",
        "memory_mib": 4096,
        "min_instances": 1,
        "max_instances": 9,
        "concurrency": 4,
        "timeout_seconds": 30,
    }
    template = _deploy(deploy, args).one(SERVICE).inputs["template"]
    assert template["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 9}
    assert template["maxInstanceRequestConcurrency"] == 4
    assert template["timeout"] == "30s"
    (container,) = template["containers"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "4096Mi"}
    assert container["resources"]["cpuIdle"] is True


def test_service_knows_where_it_is_and_where_results_go(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {**ARGS, "environment": {"MODEL": "qwen3-4b"}}
    (container,) = _deploy(deploy, args).one(SERVICE).inputs["template"]["containers"]
    assert {env["name"]: env["value"] for env in container["envs"]} == {
        "GOOGLE_CLOUD_PROJECT": PROJECT_ID,
        "MODEL": "qwen3-4b",
        "PUBSUB_TOPIC": TOPIC_ID,
        "RESULTS_TABLE": f"{PROJECT_ID}.sentiment_results.results",
    }


def test_an_instance_that_hangs_is_restarted(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {**ARGS, "health_path": "/health", "port": 9000}
    (container,) = _deploy(deploy, args).one(SERVICE).inputs["template"]["containers"]
    assert container["ports"] == {"containerPort": 9000}
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": 9000}
    assert "tcpSocket" not in container["startupProbe"]


def test_a_container_without_health_path_has_started_when_its_port_opens(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {**ARGS, "health_path": "none"}
    (container,) = _deploy(deploy, args).one(SERVICE).inputs["template"]["containers"]
    assert container["startupProbe"]["tcpSocket"] == {"port": 8080}
    assert "livenessProbe" not in container


# Results


def test_results_are_partitioned_clustered_and_cheap_to_query(deploy: Deploy):
    table = _deploy(deploy).one(TABLE).inputs
    assert table["timePartitioning"] == {"type": "DAY", "field": "processed_at"}
    assert table["clusterings"] == ["model"]
    assert table["requirePartitionFilter"] is True
    columns = {column["name"]: column for column in json.loads(table["schema"])}
    assert columns["message_id"] == {"name": "message_id", "type": "STRING", "mode": "REQUIRED"}
    assert columns["output"]["type"] == "JSON"


def test_results_have_the_users_columns(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {
        **ARGS,
        "results": {
            "fields": [
                {"name": "day", "type": "DATE", "mode": "REQUIRED"},
                {"name": "mood", "type": "STRING"},
            ],
            "partition_field": "day",
            "partition_expiration_days": 30,
            "cluster_by": ["mood"],
        },
    }
    table = _deploy(deploy, args).one(TABLE).inputs
    assert json.loads(table["schema"]) == [
        {"name": "day", "type": "DATE", "mode": "REQUIRED"},
        {"name": "mood", "type": "STRING", "mode": "NULLABLE"},
    ]
    assert table["timePartitioning"] == {"type": "DAY", "field": "day", "expirationMs": 2592000000}
    assert table["clusterings"] == ["mood"]


def test_columns_of_ones_own_need_no_partition_column(deploy: Deploy):
    args: PubSubCloudRunPipelineArgs = {
        **ARGS,
        "results": {"fields": [{"name": "mood", "type": "STRING"}]},
    }
    table = _deploy(deploy, args).one(TABLE).inputs
    assert table["timePartitioning"] == {"type": "DAY"}
    assert "clusterings" not in table


def test_data_stays_in_the_region(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(DATASET).inputs["location"] == "us-central1"
    assert cloud.one(BUCKET).inputs["location"] == "us-central1"
    assert cloud.one(SERVICE).inputs["location"] == "us-central1"


# Archive


def test_every_message_is_archived_with_its_metadata(deploy: Deploy):
    inputs = _deploy(deploy).one(SUBSCRIPTION, "sentiment-archive-subscription").inputs
    assert inputs["topic"] == TOPIC_ID
    config = inputs["cloudStorageConfig"]
    assert config["bucket"] == f"{PROJECT_ID}-sentiment-archive"
    assert config["avroConfig"] == {"writeMetadata": True, "useTopicSchema": True}


def test_archive_files_close_before_their_messages_are_delivered_again(deploy: Deploy):
    inputs = _deploy(deploy).one(SUBSCRIPTION, "sentiment-archive-subscription").inputs
    longest = int(inputs["cloudStorageConfig"]["maxDuration"].removesuffix("s"))
    assert longest <= inputs["ackDeadlineSeconds"] <= 600


@pytest.mark.parametrize(
    "message_schema",
    [None, {"type": "protobuf", "definition": 'syntax = "proto3"; message T { string t = 1; }'}],
)
def test_archive_files_have_the_topics_fields_only_for_avro(deploy: Deploy, message_schema: Any):
    cloud = _deploy(deploy, {**ARGS, "message_schema": message_schema})
    config = cloud.one(SUBSCRIPTION, "sentiment-archive-subscription").inputs["cloudStorageConfig"]
    assert config["avroConfig"]["useTopicSchema"] is False


def test_archive_can_be_undone_for_seven_days_and_is_never_emptied(deploy: Deploy):
    bucket = _deploy(deploy).one(BUCKET).inputs
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 604800}
    assert bucket["versioning"] == {"enabled": False}
    assert bucket["forceDestroy"] is False


@pytest.mark.parametrize("args", [MINIMAL, {**MINIMAL, "archive": None}])
def test_without_an_archive_there_is_no_bucket(deploy: Deploy, args: PubSubCloudRunPipelineArgs):
    cloud = _deploy(deploy, args)
    assert not cloud.all(BUCKET)
    assert len(cloud.all(SUBSCRIPTION)) == 2
    outputs = cloud.outputs[cloud.one("inference:index:PubSubCloudRunPipeline").urn]
    assert "archive_bucket" not in outputs
    assert outputs["topic_id"] == TOPIC_ID


@pytest.mark.parametrize(
    ("archive", "moves"),
    [
        ({}, [("NEARLINE", 30), (None, 90)]),
        ({"retention_days": 20}, [(None, 20)]),
        ({"retention_days": 365}, [("NEARLINE", 30), ("COLDLINE", 90), (None, 365)]),
        (
            {"retention_days": 730},
            [("NEARLINE", 30), ("COLDLINE", 90), ("ARCHIVE", 365), (None, 730)],
        ),
        ({"storage_class": "COLDLINE", "retention_days": 800}, [("ARCHIVE", 365), (None, 800)]),
    ],
)
def test_old_files_sink_to_colder_classes_then_go(archive: Any, moves: Any):
    found: Any = lifecycle(archive)
    assert [
        (rule["action"].get("storage_class"), rule["condition"]["age"]) for rule in found
    ] == moves


@given(
    storage_class=st.sampled_from(sorted(MINIMUM_DAYS)),
    days=st.integers(365, 4000),
)
def test_no_file_leaves_a_class_before_its_paid_time(storage_class: str, days: int):
    rules: Any = lifecycle({"storage_class": storage_class, "retention_days": days})
    entered, current = 0, storage_class
    for rule in rules:
        age = rule["condition"]["age"]
        assert age - entered >= MINIMUM_DAYS[current]
        entered, current = age, rule["action"].get("storage_class", current)


# Protection, names


@pytest.mark.parametrize("protected", [True, False])
def test_what_holds_data_is_protected_as_asked(deploy: Deploy, protected: bool):
    cloud = _deploy(deploy, {**ARGS, "deletion_protection": protected})
    holders = [
        *(cloud.one(type_) for type_ in (BUCKET, DATASET, TABLE, SCHEMA)),
        *cloud.all(TOPIC),
        cloud.one(SUBSCRIPTION, "sentiment-dead-letter-subscription"),
    ]
    assert len(holders) == 7
    assert [holder.protect for holder in holders] == [protected] * 7
    assert cloud.one(SERVICE).inputs["deletionProtection"] is protected
    assert cloud.one(TABLE).inputs["deletionProtection"] is protected
    assert cloud.one(DATASET).inputs["deleteContentsOnDestroy"] is False


def test_data_is_protected_unless_said_otherwise(deploy: Deploy):
    cloud = _deploy(deploy, MINIMAL)
    assert cloud.one(TABLE).protect
    assert cloud.one(SERVICE).inputs["deletionProtection"] is True


def test_names_follow_from_the_components_name(deploy: Deploy):
    cloud = _deploy(deploy)
    ids = {account.inputs["accountId"] for account in cloud.all(ACCOUNT)}
    assert ids == {"sentiment-run", "sentiment-push"}
    outputs = cloud.outputs[cloud.one("inference:index:PubSubCloudRunPipeline").urn]
    assert outputs == {
        "topic_id": TOPIC_ID,
        "service_uri": URI,
        "dead_letter_topic_id": DEAD_LETTER_ID,
        "results_table": f"{PROJECT_ID}.sentiment_results.results",
        "archive_bucket": f"{PROJECT_ID}-sentiment-archive",
        "push_service_account": PUSH,
        "runtime_service_account": RUN,
    }


# Mistakes


@pytest.mark.parametrize("args", [MINIMAL, ARGS])
def test_these_arguments_are_valid(args: PubSubCloudRunPipelineArgs):
    assert _reasons(args) == {}


FIELDS = [{"name": "day", "type": "DATE"}, {"name": "moods", "type": "STRING", "mode": "REPEATED"}]


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"cpu": "3"}, "cpu", "found '3'; allowed: 1, 2, 4, 6, 8"),
        ({"cpu": "4"}, "memory_mib", "found 512; allowed: 2048 to 16384 with cpu 4"),
        ({"memory_mib": 256}, "memory_mib", "allowed: 512 to 4096 with cpu 1"),
        ({"max_instances": 0, "min_instances": 0}, "max_instances", "from 1 to 1000 instances"),
        ({"min_instances": 6}, "min_instances", "found 6; allowed: at most max_instances, 5"),
        ({"concurrency": 0}, "concurrency", "from 1 to 1000 requests"),
        ({"timeout_seconds": 0}, "timeout_seconds", "from 1 to 3600 seconds"),
        ({"timeout_seconds": 90}, "ack_deadline_seconds", "found 60; allowed: timeout_seconds, 90"),
        ({"port": 0}, "port", "from 1 to 65535"),
        ({"health_path": "health"}, "health_path", "a path that starts with /"),
        ({"environment": {"PORT": "1"}}, "environment.PORT", "not one Cloud Run sets"),
        (
            {"environment": {"RESULTS_TABLE": "t"}},
            "environment.RESULTS_TABLE",
            "the pipeline sets it",
        ),
        (
            {"ack_deadline_seconds": 5, "timeout_seconds": 5},
            "ack_deadline_seconds",
            "from 10 to 600 seconds",
        ),
        ({"max_delivery_attempts": 4}, "max_delivery_attempts", "from 5 to 100 deliveries"),
        ({"retry": {"maximum_seconds": 601}}, "retry.maximum_seconds", "from 0 to 600 seconds"),
        ({"retry": {"minimum_seconds": -1}}, "retry.minimum_seconds", "from 0 to 600 seconds"),
        ({"retry": {"maximum_seconds": 5}}, "retry.minimum_seconds", "at most maximum_seconds, 5"),
        ({"retention_days": 32}, "retention_days", "from 1 to 31 days"),
        (
            {"message_schema": {"type": "json", "definition": "{}"}},
            "message_schema.type",
            "found 'json'; allowed: avro, protobuf",
        ),
        (
            {"message_schema": {"type": "avro", "definition": RECORD, "encoding": "xml"}},
            "message_schema.encoding",
            "found 'xml'; allowed: json, binary",
        ),
        (
            {"message_schema": {"type": "avro", "definition": "{"}},
            "message_schema.definition",
            "an Avro record",
        ),
        (
            {"message_schema": {"type": "avro", "definition": '"string"'}},
            "message_schema.definition",
            "an Avro record",
        ),
        (
            {"message_schema": {"type": "protobuf", "definition": "enum E { A = 0; }"}},
            "message_schema.definition",
            "a proto file with one message",
        ),
        ({"results": {"fields": []}}, "results.fields", "found an empty list"),
        (
            {"results": {"fields": [{"name": "a b", "type": "STRING"}]}},
            "results.fields[0].name",
            "found 'a b'",
        ),
        (
            {"results": {"fields": [{"name": n, "type": "STRING"} for n in ("a", "A")]}},
            "results.fields[1].name",
            "found 'A' again",
        ),
        (
            {"results": {"fields": [{"name": "a", "type": "RECORD"}]}},
            "results.fields[0].type",
            "found 'RECORD'; allowed: STRING",
        ),
        (
            {"results": {"fields": [{"name": "a", "type": "DATE", "mode": "MANY"}]}},
            "results.fields[0].mode",
            "found 'MANY'; allowed: NULLABLE",
        ),
        (
            {"results": {"fields": FIELDS, "partition_field": "moods"}},
            "results.partition_field",
            "found 'moods' (REPEATED STRING); allowed: a column",
        ),
        (
            {"results": {"fields": FIELDS, "cluster_by": ["moods"]}},
            "results.cluster_by[0]",
            "found 'moods' (REPEATED STRING); allowed: a column",
        ),
        (
            {
                "results": {
                    "fields": [{"name": name, "type": "STRING"} for name in "abcde"],
                    "cluster_by": [*"abcde"],
                }
            },
            "results.cluster_by",
            "found 5 entries; allowed: up to 4",
        ),
        (
            {"results": {"partition_expiration_days": 0}},
            "results.partition_expiration_days",
            "from 1 to 36500 days",
        ),
        ({"archive": {"storage_class": "COLD"}}, "archive.storage_class", "COLDLINE, ARCHIVE"),
        (
            {"archive": {"storage_class": "NEARLINE", "retention_days": 7}},
            "archive.retention_days",
            "found 7; allowed: 30 or more: NEARLINE bills",
        ),
        ({"archive": {"retention_days": 0}}, "archive.retention_days", "from 1 to 36500 days"),
    ],
)
def test_wrong_arguments_are_named_with_what_is_allowed(change: Any, path: str, said: str):
    reasons = _reasons(cast("PubSubCloudRunPipelineArgs", {**ARGS, **change}))
    assert list(reasons) == [path]
    assert said in reasons[path]


@pytest.mark.parametrize("name", ["Sentiment", "ab", "googly", "s" * 41])
def test_wrong_names_are_refused(name: str):
    assert list(_reasons(MINIMAL, name)) == ["name"]


def test_names_too_long_for_the_bucket_are_refused():
    reasons = _reasons({**ARGS, "project": "p" * 30}, "s" * 30)
    assert "up to 63 characters" in reasons["name"]
    assert not _reasons({**MINIMAL, "project": "p" * 30}, "s" * 30)


@given(
    cpu=st.sampled_from([*CPUS, "3"]),
    memory_mib=st.integers(0, 40000),
    min_instances=st.integers(-1, 10),
    max_instances=st.integers(-1, 10),
    timeout_seconds=st.integers(-1, 700),
    ack_deadline_seconds=st.integers(-1, 700),
)
def test_every_mistake_says_what_was_found_and_what_is_allowed(**change: Any):
    for reason in _reasons(cast("PubSubCloudRunPipelineArgs", {**ARGS, **change})).values():
        assert reason.startswith("found ")
        assert "allowed" in reason


def test_all_mistakes_are_reported_at_once(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        _deploy(deploy, {**ARGS, "cpu": "3", "retention_days": 0})
    assert "PubSubCloudRunPipeline sentiment:" in str(raised.value)
    assert "cpu: found '3'" in str(raised.value)
    assert "retention_days: found 0" in str(raised.value)
