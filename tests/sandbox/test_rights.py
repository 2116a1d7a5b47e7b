"""What Google Cloud makes only once an account may do what it takes."""

from typing import Any

import pytest

from catalog.needs import needs
from sandbox.world import EXISTING, World
from tests.sandbox.client import Client, RefusedError

AUTOMATIC = {"replication": {"auto": {}}}
BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
DATASET = "gcp:bigquery/dataset:Dataset"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
RING = "gcp:kms/keyRing:KeyRing"
SERVICE = "gcp:cloudrunv2/service:Service"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
TOPIC = "gcp:pubsub/topic:Topic"
WRITES = ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")


@pytest.fixture
def cloud(gcp: Client) -> Client:
    gcp.enable("pubsub", "storage", "bigquery", "cloudkms", "iam", "cloudresourcemanager")
    gcp.create(TOPIC, {"name": "orders"})
    gcp.create(BUCKET, {"name": "archive", "location": "US"})
    return gcp


def agent(cloud: Client, api: str = "pubsub") -> str:
    return cloud.create(IDENTITY, {"service": f"{api}.googleapis.com"}, name=api)[1]["member"]


def archived(cloud: Client) -> str:
    config = {"bucket": "archive"}
    inputs = {"name": "kept", "topic": "orders", "cloudStorageConfig": config}
    return cloud.create(SUBSCRIPTION, inputs)[0]


def grant(cloud: Client, *roles: str, **inputs: Any) -> None:
    for role in roles:
        of = {"bucket": "archive", "member": agent(cloud), "role": role, **inputs}
        cloud.create(BUCKET_MEMBER, of, name=role)


def test_an_agent_must_hold_every_right(cloud: Client) -> None:
    with pytest.raises(RefusedError, match=r"403: .*gcp-sa-pubsub.*the bucket archive"):
        archived(cloud)
    grant(cloud, WRITES[0])
    with pytest.raises(RefusedError, match="Legacy Bucket Reader"):
        archived(cloud)
    grant(cloud, WRITES[1])
    assert archived(cloud)


def test_a_grant_on_the_project_is_one_on_all_in_it(cloud: Client) -> None:
    for role in WRITES:
        inputs = {"project": "acme", "member": agent(cloud), "role": role}
        cloud.create(PROJECT_MEMBER, inputs, name=role)
    assert archived(cloud)


@pytest.mark.parametrize(
    "inputs",
    [
        {"member": "domain:acme.com"},
        {"condition": {"title": "now", "expression": "request.time < timestamp('2030-01-01')"}},
    ],
)
def test_what_may_hold_is_not_refused(cloud: Client, inputs: dict[str, Any]) -> None:
    grant(cloud, *WRITES, **inputs)
    assert archived(cloud)


def test_what_was_there_before_may_have_been_granted_by_hand(cloud: Client, world: World) -> None:
    world.rows("UPDATE resources SET owner = ? WHERE type = ?", EXISTING, BUCKET)
    assert archived(cloud)


def test_another_account_that_is_named_needs_the_rights_instead(cloud: Client) -> None:
    grant(cloud, *WRITES)
    email = "writes@acme.iam.gserviceaccount.com"
    cloud.create("gcp:serviceaccount/account:Account", {"accountId": "writes"})
    config = {"bucket": "archive", "serviceAccountEmail": email}
    inputs = {"name": "kept", "topic": "orders", "cloudStorageConfig": config}
    with pytest.raises(RefusedError, match=email):
        cloud.create(SUBSCRIPTION, inputs)


def test_a_key_may_be_used_before_something_is_encrypted_with_it(cloud: Client) -> None:
    ring, _ = cloud.create(RING, {"name": "ring", "location": "us"})
    key, _ = cloud.create(KEY, {"name": "key", "keyRing": ring})
    inputs = {"name": "sealed", "location": "US", "encryption": {"defaultKmsKeyName": key}}
    with pytest.raises(RefusedError, match=r"useToEncrypt.*gs-project-accounts"):
        cloud.create(BUCKET, inputs)
    # A dataset's agent is asked only when a table is written.
    data = {"datasetId": "d", "location": "US"}
    assert cloud.create(DATASET, {**data, "defaultEncryptionConfiguration": {"kmsKeyName": key}})
    role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    member = {"cryptoKeyId": key, "member": agent(cloud, "storage"), "role": role}
    cloud.create(KEY_MEMBER, member)
    assert cloud.create(BUCKET, inputs)


def test_a_service_reads_its_secrets_by_its_account(cloud: Client) -> None:
    cloud.enable("run", "secretmanager")
    cloud.create("gcp:serviceaccount/account:Account", {"accountId": "api-run"})
    secret, _ = cloud.create("gcp:secretmanager/secret:Secret", {"secretId": "key", **AUTOMATIC})
    cloud.create(
        "gcp:secretmanager/secretVersion:SecretVersion", {"secret": secret, "secretData": "x"}
    )
    account = "api-run@acme.iam.gserviceaccount.com"
    source = {"secretKeyRef": {"secret": "key", "version": "latest"}}
    container = {"image": "docker.io/a/b:1", "envs": [{"name": "KEY", "valueSource": source}]}
    template = {"serviceAccount": account, "containers": [container]}
    inputs = {"name": "api", "location": "us-central1", "template": template}
    with pytest.raises(RefusedError, match=f"Permission denied on secret: .*{account}"):
        cloud.create(SERVICE, inputs)
    role = "roles/secretmanager.secretAccessor"
    member = {"secretId": "key", "role": role, "member": f"serviceAccount:{account}"}
    cloud.create("gcp:secretmanager/secretIamMember:SecretIamMember", member)
    assert cloud.create(SERVICE, inputs)


def test_each_refusal_names_who_and_what() -> None:
    refusals = {need.refused for need in needs() if need.refused}
    assert {text for text in refusals if "{account}" in text and "{target}" in text} == refusals
