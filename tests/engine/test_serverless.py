"""Every way of messages and every front, on the real engine: made, shared out, taken back."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from launcher import operations
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

PROJECT = "acme-inference-dev"
SERVICE = "gcp:cloudrunv2/service:Service"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
IMAGE = f"us-central1-docker.pkg.dev/{PROJECT}/services/llm-backend:1.0.0"
REVIEW = """{"type": "record", "name": "Review", "fields": [
  {"name": "id", "type": "string"}, {"name": "text", "type": "string"}]}"""


def everything(config: dict[str, Any]) -> None:
    """Add each way of messages to the pipeline, and a service with each front."""
    config["pipelines"]["sentiment"] |= {
        "message_schema": {"type": "avro", "definition": REVIEW, "encoding": "binary"},
        "filter": 'attributes.lang = "en" OR NOT attributes:lang',
        "ordering": True,
        "bigquery_export": {
            "use_topic_schema": True,
            "partition_expiration_days": 30,
            "readers": ["group:auditors@acme.com"],
        },
        "exactly_once_pull": True,
        "publishers": ["clicks", "group:apps@acme.com"],
    }
    config["pipelines"]["sentiment"]["results"]["readers"] = ["group:analysts@acme.com"]
    config["pipelines"]["sentiment"]["archive"]["readers"] = ["group:auditors@acme.com"]
    config["pipelines"]["clicks"] = {
        "region": "us-central1",
        "image": IMAGE.replace("llm-backend", "clicks"),
        "retention_days": 2,
        "secrets": {"API_KEY": "llm-api-key"},
        "dataflow": {"fields": [{"name": "url", "type": "STRING"}]},
    }
    config["secrets"] = {"llm-api-key": {}}
    config["data"]["cache"] = {"region": "us-central1", "range": "10.22.0.0/24"}
    chat = {"region": "us-central1", "image": IMAGE, "max_instances": 1, "models": ["qwen3-4b"]}
    config["services"] = {
        "api": {
            **chat,
            "secret_files": {"/secrets/api/llm_api_key": "llm-api-key"},
            "revision": "v1",
            "front": "api_gateway",
            "api_gateway": {
                "document": "services/llm_backend/openapi.yaml",
                "api_key": True,
                "requests_per_minute": 60,
            },
        },
        "inside": {
            **chat,
            "cache": True,
            "front": "load_balancer",
            "load_balancer": {"hostname": "chat.dev.acme.internal"},
        },
        "world": {
            **chat,
            "iap": ["group:support@acme.com"],
            "binary_authorization": True,
            "front": "load_balancer",
            "load_balancer": {
                "kind": "global-external",
                "hostname": "chat.dev.acme.com",
                "requests_per_minute": 300,
                "waf_rules": ["sqli"],
            },
        },
        "local": {
            **chat,
            "gpu": "nvidia-l4",
            "cpu": "4",
            "memory_mib": 16384,
            "front": "load_balancer",
            "load_balancer": {
                "kind": "regional-external",
                "hostname": "local.dev.acme.com",
                "certificate": "projects/acme-certs/locations/us-central1/certificates/local",
                "allowed_ranges": ["203.0.113.0/24"],
            },
        },
    }


@pytest.fixture(scope="module")
def stack(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(everything)
    operations.up(rehearsal.places, skip_preview=True)
    return rehearsal


def named(stack: Rehearsal, of_type: str) -> dict[str, dict[str, Any]]:
    """Return the outputs of the resources of a type, by name."""
    return {
        resource["outputs"].get("name", resource["id"]): resource["outputs"]
        for resource in stack.resources(of_type)
    }


def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    printed = capsys.readouterr().out
    assert "Nothing changes." in printed
    assert " 0 violations, " in printed


def test_messages_go_every_way_that_is_asked_for(stack: Rehearsal) -> None:
    subscriptions = named(stack, SUBSCRIPTION)
    assert set(subscriptions) >= {
        *("sentiment-push", "sentiment-archive", "sentiment-messages", "sentiment-pull"),
        *("sentiment-dead-letter", "clicks-push", "clicks-dataflow", "clicks-dead-letter"),
    }
    table = subscriptions["sentiment-messages"]["bigqueryConfig"]["table"]
    assert table == f"{PROJECT}.sentiment_messages.messages"
    assert subscriptions["sentiment-pull"]["enableExactlyOnceDelivery"] is True
    for name in ("sentiment-push", "sentiment-pull"):
        assert subscriptions[name]["enableMessageOrdering"] is True
        assert subscriptions[name]["filter"].startswith("attributes.lang")
    (job,) = stack.resources("gcp:dataflow/flexTemplateJob:FlexTemplateJob")
    assert job["inputs"]["parameters"]["outputTableSpec"] == f"{PROJECT}:clicks_dataflow.rows"
    assert job["inputs"]["containerSpecGcsPath"].startswith("gs://dataflow-templates-us-central1/")


def test_who_publishes_and_reads_may_do_that_alone(stack: Rehearsal) -> None:
    named_by_config = re.compile(r"(publishers|readers)-")
    grants = {
        (*(each["inputs"][key].rpartition("/")[2] for key in keys), each["inputs"]["member"])
        for of_type, keys in (
            ("gcp:pubsub/topicIAMMember:TopicIAMMember", ("topic", "role")),
            ("gcp:bigquery/iamMember:IamMember", ("datasetId", "role")),
            ("gcp:storage/bucketIAMMember:BucketIAMMember", ("bucket", "role")),
        )
        for each in stack.resources(of_type)
        if named_by_config.search(each["urn"])
    }
    clicks = f"serviceAccount:clicks-run@{PROJECT}.iam.gserviceaccount.com"
    assert grants == {
        ("sentiment", "pubsub.publisher", clicks),
        ("sentiment", "pubsub.publisher", "group:apps@acme.com"),
        ("sentiment_results", "bigquery.dataViewer", "group:analysts@acme.com"),
        ("sentiment_messages", "bigquery.dataViewer", "group:auditors@acme.com"),
        (f"{PROJECT}-sentiment-archive", "storage.objectViewer", "group:auditors@acme.com"),
    }


def test_a_secret_goes_to_the_pipeline_that_reads_it_and_leaves_by_the_network(
    stack: Rehearsal,
) -> None:
    template = named(stack, SERVICE)["clicks-service"]["template"]
    (variable,) = (each for each in template["containers"][0]["envs"] if each["name"] == "API_KEY")
    reference = {"secret": "llm-api-key", "version": "latest"}
    assert variable["valueSource"]["secretKeyRef"] == reference
    assert template["vpcAccess"]["egress"] == "ALL_TRAFFIC"
    readers = {
        grant["inputs"]["member"].partition("@")[0]
        for grant in stack.resources("gcp:secretmanager/secretIamMember:SecretIamMember")
        if grant["inputs"]["secretId"] == "llm-api-key"
    }
    assert readers == {"serviceAccount:api-run", "serviceAccount:clicks-run"}


def test_every_subscription_and_the_job_are_watched_and_shown(stack: Rehearsal) -> None:
    alerts = {
        alert["urn"].rpartition("::")[2]: alert["inputs"]["conditions"][0][
            "conditionPrometheusQueryLanguage"
        ]["query"]
        for alert in stack.resources("gcp:monitoring/alertPolicy:AlertPolicy")
    }
    shown = " ".join(
        dashboard["inputs"]["dashboardJson"]
        for dashboard in stack.resources("gcp:monitoring/dashboard:Dashboard")
    )
    days = {
        each: int(made["messageRetentionDuration"].removesuffix("s")) // 86400
        for each, made in named(stack, SUBSCRIPTION).items()
    }
    conditions = alerts["inference-pipelines-retention"].split(" or ")
    for subscription, kept in days.items():
        (condition,) = (each for each in conditions if re.search(rf"\b{subscription}\b", each))
        assert condition.endswith(f"> {kept * 86400 // 4}")
        assert re.search(rf"\b{subscription}\b", shown)
    for alert in ("job-failed", "job-lag", "job-freshness"):
        assert 'job_name=~"clicks-dataflow"' in alerts[f"inference-pipelines-{alert}"]
    (exports,) = re.findall(
        r'subscription_id=~"([^"]*)"', alerts["inference-pipelines-stopped-exports"]
    )
    assert set(exports.split("|")) == {"sentiment-archive", "sentiment-messages"}


def test_every_front_leads_to_its_service(stack: Rehearsal) -> None:
    (top,) = [r for r in stack.deployment()["resources"] if r["type"] == "pulumi:pulumi:Stack"]
    frontends = top["outputs"]["frontends"]
    assert frontends["api"]["url"].startswith("https://api-")
    assert frontends["inside"]["address"].startswith("10.10.")
    assert "BEGIN CERTIFICATE" in frontends["inside"]["ca_certificate"]
    assert set(frontends) == {"api", "inside", "world", "local"}
    ingress = {name: service["ingress"] for name, service in named(stack, SERVICE).items()}
    assert ingress["api"] == "INGRESS_TRAFFIC_ALL"
    assert ingress["world"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    assert ingress["sentiment-service"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"


def test_a_service_with_the_cache_gets_its_address_password_and_authority(
    stack: Rehearsal,
) -> None:
    with_cache, without = (named(stack, SERVICE)[name] for name in ("inside", "world"))
    template = with_cache["template"]
    assert template["vpcAccess"]["egress"] == "ALL_TRAFFIC"
    variables = {each["name"]: each for each in template["containers"][0]["envs"]}
    (cache,) = stack.resources("gcp:redis/instance:Instance")
    address = f"rediss://{cache['outputs']['host']}:{cache['outputs']['port']}"
    assert variables["REDIS_URL"]["value"] == address
    reference = variables["REDIS_PASSWORD"]["valueSource"]["secretKeyRef"]
    assert reference == {"secret": "inference-cache-password", "version": "latest"}
    files = {each["secret"]["secret"] for each in template["volumes"]}
    assert "inference-cache-ca" in files
    readers = {
        grant["inputs"]["secretId"].rpartition("/")[2]: grant["inputs"]["member"]
        for grant in stack.resources("gcp:secretmanager/secretIamMember:SecretIamMember")
        if "inference-cache" in grant["inputs"]["secretId"]
    }
    assert set(readers) == {"inference-cache-password", "inference-cache-ca"}
    assert len(set(readers.values())) == 1
    assert "REDIS_URL" not in {
        each["name"] for each in without["template"]["containers"][0]["envs"]
    }


def test_a_new_revision_gets_a_share_and_gives_it_back(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    def canary(config: dict[str, Any]) -> None:
        config["services"]["api"] |= {
            "revision": "v2",
            "memory_mib": 1024,
            "traffic": [
                {"revision": "v1", "percent": 90},
                {"revision": "v2", "percent": 10, "tag": "next"},
            ],
        }

    def rollback(config: dict[str, Any]) -> None:
        config["services"]["api"]["traffic"] = [{"revision": "v1", "percent": 100}]

    shares: list[list[tuple[str, int]]] = []
    for change in (canary, rollback):
        stack.edit(change)
        operations.up(stack.places, skip_preview=True)
        assert "\n1 updated." in capsys.readouterr().out
        service = named(stack, SERVICE)["api"]
        shares.append([(each["revision"], each["percent"]) for each in service["traffics"]])
    assert shares == [[("api-v1", 90), ("api-v2", 10)], [("api-v1", 100)]]


def test_another_quota_makes_another_configuration_before_the_old_one_goes(
    stack: Rehearsal,
) -> None:
    def more(config: dict[str, Any]) -> None:
        config["services"]["api"]["api_gateway"]["requests_per_minute"] = 120

    (before,) = stack.resources("gcp:apigateway/apiConfig:ApiConfig")
    stack.edit(more)
    operations.up(stack.places, skip_preview=True)
    (after,) = stack.resources("gcp:apigateway/apiConfig:ApiConfig")
    (gateway,) = stack.resources("gcp:apigateway/gateway:Gateway")
    assert gateway["inputs"]["apiConfig"] == after["id"] != before["id"]


def test_all_of_it_goes_again(stack: Rehearsal) -> None:
    operations.destroy(stack.places)
    assert stack.resources() == []
