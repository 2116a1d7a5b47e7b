"""Topics, buckets and datasets that are there are used as they are, or refused."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

from config.encryption import Encryption
from config.load import from_file
from config.platform import Platform
from stacks.existing_messages import check_messages
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit.harness import Cloud, Deploy

PLATFORM = from_file(ROOT / "Pulumi.estate.yaml")
ENCRYPTED = PLATFORM.model_copy(update={"encryption": Encryption(rotation_days=90)})
TOPIC = "gcp:pubsub/getTopic:getTopic"
BUCKET = "gcp:storage/getBucket:getBucket"
DATASET = "gcp:bigquery/getDataset:getDataset"
FITS: dict[str, dict[str, Any]] = {
    TOPIC: {"messageStoragePolicies": [{"allowedPersistenceRegions": ["us-central1"]}]},
    BUCKET: {
        "location": "US-CENTRAL1",
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
    },
    DATASET: {"location": "us-central1"},
}
NAME = "projects/acme-shop/topics/reviews"
UPDATE_TOPIC = f"`gcloud pubsub topics update {NAME}"
UPDATE_BUCKET = "`gcloud storage buckets update gs://acme-inference-estate-messages"


def said(deploy: Deploy, platform: Platform = PLATFORM, **changes: dict[str, Any]) -> list[str]:
    """Return what is refused where the cloud answers so, without what all have in common."""
    answers = {
        token: each | changes.get(token.rpartition(":get")[2].lower(), {})
        for token, each in FITS.items()
    }
    try:
        deploy(lambda: check_messages(platform, gcp.Provider("google")), answers=answers)
    except pulumi.RunError as error:
        prefix = "Pulumi.test.yaml: pipelines.reviews.existing."
        return [line.removeprefix(prefix) for line in str(error).splitlines()]
    return []


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: build_platform(PLATFORM))


def test_what_fits_and_what_the_cloud_does_not_tell_pass(deploy: Deploy):
    assert said(deploy) == []
    deploy(lambda: check_messages(PLATFORM, gcp.Provider("google")))


def test_nothing_of_it_is_made(cloud: Cloud):
    assert [each.name for each in cloud.all("gcp:pubsub/topic:Topic")] == [
        "reviews-dead-letter-topic"
    ]
    assert not cloud.all("gcp:storage/bucket:Bucket")
    assert not cloud.all("gcp:bigquery/dataset:Dataset")


def test_the_messages_come_from_it_and_go_to_it(cloud: Cloud):
    push, archive = (
        cloud.one("gcp:pubsub/subscription:Subscription", f"reviews-{each}").inputs
        for each in ("push", "archive-subscription")
    )
    assert (push["topic"], archive["topic"]) == (NAME, NAME)
    assert archive["cloudStorageConfig"]["bucket"] == "acme-inference-estate-messages"
    table = cloud.one("gcp:bigquery/table:Table").inputs
    assert (table["datasetId"], table["tableId"]) == ("analytics", "reviews_results")


def test_only_what_writes_there_is_granted(cloud: Cloud):
    grants = cloud.all("gcp:storage/bucketIAMMember:BucketIAMMember", "reviews-.*")
    assert {each.inputs["role"] for each in grants} == {
        "roles/storage.objectCreator",
        "roles/storage.legacyBucketReader",
    }
    assert not cloud.all("gcp:pubsub/topicIAMMember:TopicIAMMember", "reviews-publishers-.*")
    table = cloud.one("gcp:bigquery/iamMember:IamMember", "reviews-results-.*")
    assert table.inputs["tableId"] == "reviews_results"


@pytest.mark.parametrize(
    ("policies", "state"),
    [
        ([], "any region"),
        (
            [{"allowedPersistenceRegions": ["us-central1", "europe-west1"]}],
            "europe-west1, us-central1",
        ),
    ],
)
def test_a_topic_that_keeps_messages_elsewhere(policies: list[Any], state: str, deploy: Deploy):
    (line,) = said(deploy, topic={"messageStoragePolicies": policies})
    assert line == (
        f"topic: found '{NAME}', whose messages may be stored in {state}; allowed: regions of the "
        f"platform alone: us-central1; {UPDATE_TOPIC} "
        "--message-storage-policy-allowed-regions=us-central1`"
    )


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"location": "EU"}, "nothing changes that: name another, or leave it out for one"),
        ({"uniformBucketLevelAccess": False}, f"{UPDATE_BUCKET} --uniform-bucket-level-access`"),
        ({"publicAccessPrevention": "inherited"}, f"{UPDATE_BUCKET} --public-access-prevention`"),
    ],
)
def test_a_bucket(change: dict[str, Any], ends: str, deploy: Deploy):
    (line,) = said(deploy, bucket=change)
    ((key, _),) = change.items()
    assert line.startswith("archive_bucket: found 'acme-inference-estate-messages', whose ")
    assert key.lower() in line.replace("_", "").lower()
    assert line.endswith(ends)


def test_a_dataset_of_another_region(deploy: Deploy):
    (line,) = said(deploy, dataset={"location": "US"})
    assert line == (
        "results_dataset: found 'analytics', whose location is US; allowed: us-central1, for the "
        "region of pipeline reviews; nothing changes that: name another, or leave it out for one"
    )


def test_what_has_no_key_where_everything_has_one(deploy: Deploy):
    lines = said(
        deploy,
        ENCRYPTED,
        topic={"kmsKeyName": ""},
        bucket={"encryptions": []},
        dataset={"defaultEncryptionConfigurations": []},
    )
    assert [line.rpartition("; ")[2] for line in lines] == [
        f"{UPDATE_TOPIC} --topic-encryption-key=<key>`",
        f"{UPDATE_BUCKET} --default-encryption-key=<key>`",
        "`bq update acme-inference-estate:analytics --default_kms_key=<key>`",
    ]
