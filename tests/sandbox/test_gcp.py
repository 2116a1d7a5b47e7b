"""Google Cloud resources: ids, names, answers, replacements, secrets, previews."""

import re

import pytest

from sandbox.providers import Servers
from sandbox.values import UNKNOWN, Secret, has_unknown
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect, urn_of

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ADDRESS = "gcp:compute/address:Address"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
ACCOUNT = "gcp:serviceaccount/account:Account"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 -- a type
MEMBER = "gcp:projects/iAMMember:IAMMember"
REPLACING = {1, 3, 5}
"""ADD_REPLACE, DELETE_REPLACE and UPDATE_REPLACE of the protocol."""


@pytest.fixture
def cloud(gcp: Client) -> Client:
    gcp.enable("compute", "pubsub", "iam", "secretmanager", "run", "cloudresourcemanager")
    return gcp


def test_a_resource_without_a_name_gets_one_and_keeps_it(gcp: Client) -> None:
    checked, failures = gcp.checked(TOPIC, {}, name="orders")
    assert failures == []
    assert checked["name"] == "orders-0102030"
    again, _ = gcp.checked(
        TOPIC, {"labels": {"a": "b"}}, name="orders", olds={**checked, "name": "x"}
    )
    assert again["name"] == "x"


def test_every_failure_of_a_resource_comes_from_check(gcp: Client) -> None:
    _, failures = gcp.checked(SUBSCRIPTION, {"topik": "t", "ackDeadlineSeconds": "soon"})
    assert [failure.path for failure in failures] == ["ackDeadlineSeconds", "topik", "topic"]
    assert all(SUBSCRIPTION in failure.reason for failure in failures)


@pytest.mark.parametrize(
    ("token", "inputs", "path"),
    [
        (NETWORK, {"name": "My_Net"}, "name"),
        (ACCOUNT, {"accountId": "bot"}, "accountId"),
        (TOPIC, {"name": "goog-topic"}, "name"),
        (TOPIC, {"name": "topic", "labels": {"Team": "ml"}}, "labels.Team"),
        (TOPIC, {"name": "topic", "labels": {"team": "M L"}}, "labels.team"),
    ],
)
def test_bad_names_and_labels_are_refused(
    gcp: Client, token: str, inputs: dict[str, object], path: str
) -> None:
    (failure,) = gcp.checked(token, inputs)[1]
    assert failure.path == path
    assert re.search("Must be a match of regex|, allowed: ", failure.reason)
    assert token in failure.reason


def test_an_unknown_type_is_refused(gcp: Client) -> None:
    with pytest.raises(RefusedError, match="unknown resource type 'gcp:a/b:C'"):
        gcp.checked("gcp:a/b:C", {})


@pytest.mark.parametrize(
    ("token", "inputs", "expected"),
    [
        (NETWORK, {"name": "n"}, "projects/acme/global/networks/n"),
        (ADDRESS, {"name": "a"}, "projects/acme/regions/us-central1/addresses/a"),
        (ADDRESS, {"name": "a", "region": "r"}, "projects/acme/regions/r/addresses/a"),
        (TOPIC, {"name": "orders", "project": "other"}, "projects/other/topics/orders"),
        (
            ACCOUNT,
            {"accountId": "robots"},
            "projects/acme/serviceAccounts/robots@acme.iam.gserviceaccount.com",
        ),
        (
            MEMBER,
            {"project": "acme", "role": "roles/viewer", "member": "user:a@b.c"},
            "acme/roles/viewer/user:a@b.c",
        ),
        ("gcp:storage/bucket:Bucket", {"name": "acme-b", "location": "US"}, "acme-b"),
        (
            "gcp:container/cluster:Cluster",
            {"name": "c", "location": "us-east4"},
            "projects/acme/locations/us-east4/clusters/c",
        ),
    ],
)
def test_ids_are_those_of_the_cloud(
    cloud: Client, token: str, inputs: dict[str, str], expected: str
) -> None:
    cloud.enable("storage", "container")
    assert cloud.create(token, inputs)[0] == expected


def test_the_cloud_answers_in_its_own_formats(cloud: Client) -> None:
    id_, network = cloud.create(NETWORK, {"name": "n"})
    assert network["selfLink"] == f"https://www.googleapis.com/compute/v1/{id_}"
    assert network["project"] == "acme"
    _, account = cloud.create(ACCOUNT, {"accountId": "robots"})
    assert account["email"] == "robots@acme.iam.gserviceaccount.com"
    assert account["member"] == f"serviceAccount:{account['email']}"
    _, service = cloud.create(
        "gcp:cloudrunv2/service:Service", {"name": "api", "location": "us-east4", "template": {}}
    )
    number = cloud.invoke("gcp:organizations/getProject:getProject")["number"]
    assert len(number) == 12
    assert service["uri"] == f"https://api-{number}.us-east4.run.app"


def test_addresses_are_given_out_from_their_subnetwork_once(cloud: Client) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    subnetwork, made = cloud.create(
        SUBNETWORK, {"name": "s", "network": network, "ipCidrRange": "10.0.0.0/24"}
    )
    assert made["gatewayAddress"] == "10.0.0.1"
    wanted = {"subnetwork": subnetwork, "addressType": "INTERNAL"}
    given = [cloud.create(ADDRESS, {"name": name, **wanted})[1]["address"] for name in "ab"]
    assert len(set(given)) == len(given)
    assert all(address.startswith("10.0.0.") for address in given)
    with pytest.raises(RefusedError, match="must be in the range"):
        cloud.create(ADDRESS, {"name": "c", "address": "10.9.0.1", **wanted})
    with pytest.raises(RefusedError, match="already being used"):
        cloud.create(ADDRESS, {"name": "c", "address": given[0], **wanted})


def test_a_preview_knows_inputs_and_not_what_the_cloud_decides(gcp: Client) -> None:
    id_, previewed = gcp.create(ADDRESS, {"name": "a", "subnetwork": UNKNOWN}, preview=True)
    assert id_ == ""
    assert previewed["name"] == "a"
    assert previewed["project"] == "acme"
    assert previewed["subnetwork"] is UNKNOWN
    assert previewed["address"] is UNKNOWN
    assert previewed["selfLink"] is UNKNOWN


def test_an_update_preview_keeps_what_the_cloud_decided(cloud: Client) -> None:
    id_, made = cloud.create(TOPIC, {"name": "orders"})
    previewed = cloud.update(
        TOPIC, id_, made, {"name": "orders", "labels": {"a": "b"}}, preview=True
    )
    assert not has_unknown(previewed)
    assert previewed["labels"] == {"a": "b"}


def test_secrets_stay_secret_and_the_world_keeps_plain_values(cloud: Client, world: World) -> None:
    secret, _ = cloud.create(
        "gcp:secretmanager/secret:Secret", {"secretId": "s", "replication": {"auto": {}}}
    )
    id_, made = cloud.create(SECRET_VERSION, {"secret": secret, "secretData": Secret("hush")})
    assert id_ == "projects/acme/secrets/s/versions/1"
    assert made["secretData"] == Secret("hush")
    (stored,) = world.by_type(SECRET_VERSION)
    assert stored.outputs["secretData"] == "hush"


def test_a_secret_version_can_be_read(cloud: Client, world: World) -> None:
    secret, _ = cloud.create(
        "gcp:secretmanager/secret:Secret", {"secretId": "s", "replication": {"auto": {}}}
    )
    cloud.create(SECRET_VERSION, {"secret": secret, "secretData": Secret("hush")})
    read = "gcp:secretmanager/getSecretVersion:getSecretVersion"
    of = {"secret": "s"}
    found = cloud.invoke(read, **of, version="1")
    assert found["secretData"] in {"hush", Secret("hush")}
    with pytest.raises(RefusedError, match="404"):
        cloud.invoke(read, **of, version="2")
    cloud.invoke(read, project="others", **of, version="2")
    assumed = {each.subject for each in world.assumptions()}
    assert "projects/others/secrets/s/versions/2" in assumed


def test_outputs_the_sdk_calls_secret_are_secret(cloud: Client) -> None:
    account, _ = cloud.create(ACCOUNT, {"accountId": "robots"})
    _, key = cloud.create("gcp:serviceaccount/key:Key", {"serviceAccountId": account})
    assert isinstance(key["privateKey"], Secret)


def test_an_update_changes_inputs_and_keeps_the_rest(cloud: Client) -> None:
    id_, made = cloud.create(ACCOUNT, {"accountId": "robots", "displayName": "a"})
    changed = cloud.update(ACCOUNT, id_, made, {"accountId": "robots", "description": "b"})
    assert changed["description"] == "b"
    assert "displayName" not in changed
    assert changed["uniqueId"] == made["uniqueId"]
    with pytest.raises(RefusedError, match="googleapi: Error 404"):
        cloud.update(ACCOUNT, f"{id_}x", made, {"accountId": "robots"})


@pytest.mark.parametrize(
    ("token", "old", "new", "replaced"),
    [
        (TOPIC, {"name": "a"}, {"name": "b"}, ["name"]),
        (TOPIC, {"name": "a"}, {"name": "a", "labels": {"x": "y"}}, []),
        (SUBNETWORK, {"ipCidrRange": "10.0.0.0/24"}, {"ipCidrRange": "10.0.0.0/20"}, []),
        (
            SUBNETWORK,
            {"ipCidrRange": "10.0.0.0/20"},
            {"ipCidrRange": "10.0.0.0/24"},
            ["ipCidrRange"],
        ),
        (SUBNETWORK, {"network": "n"}, {"network": UNKNOWN}, ["network"]),
        (MEMBER, {"role": "a", "member": "m"}, {"role": "b", "member": "m"}, ["role"]),
        (ADDRESS, {"name": "a"}, {"name": "a", "deletionPolicy": "ABANDON"}, []),
        (
            "gcp:container/nodePool:NodePool",
            {"nodeConfig": {"spot": True, "labels": {}}},
            {"nodeConfig": {"spot": False, "labels": {"a": "b"}}},
            ["nodeConfig.spot"],
        ),
        (
            SUBSCRIPTION,
            {"topic": "projects/p/topics/orders"},
            {"topic": "projects/p/topics/u"},
            ["topic"],
        ),
    ],
)
def test_immutable_inputs_replace_and_others_do_not(
    gcp: Client, token: str, old: dict[str, object], new: dict[str, object], replaced: list[str]
) -> None:
    diff = gcp.diff(token, "id", old, new)
    assert list(diff.replaces) == replaced
    kinds = {path: detail.kind for path, detail in diff.detailedDiff.items()}
    assert kinds
    assert all((kinds[path] in REPLACING) == (path in replaced) for path in kinds)


def test_equal_inputs_and_other_spellings_are_no_change(gcp: Client) -> None:
    link = "https://www.googleapis.com/compute/v1/projects/acme/global/networks/n"
    old = {"network": link, "name": "s"}
    new = {"network": "projects/acme/global/networks/n", "name": Secret("s"), "__defaults": ["x"]}
    assert gcp.diff(SUBNETWORK, "id", old, new).changes == 1


def test_an_explicit_name_is_deleted_before_it_is_made_again(cloud: Client) -> None:
    inputs = {"name": "a", "description": "one"}
    id_, _ = cloud.create(ADDRESS, inputs)
    assert cloud.diff(ADDRESS, id_, inputs, {**inputs, "description": "two"}).deleteBeforeReplace
    assert not cloud.diff(ADDRESS, id_, inputs, {**inputs, "name": "b"}).deleteBeforeReplace


def test_a_vanished_resource_reads_as_nothing(cloud: Client, world: World) -> None:
    id_, _ = cloud.create(TOPIC, {"name": "orders"})
    assert cloud.read(TOPIC, id_)[0] == id_
    world.remove(TOPIC, id_)
    assert cloud.read(TOPIC, id_)[0] == ""
    cloud.delete(TOPIC, id_)


@pytest.mark.parametrize(
    "given",
    [
        "projects/acme/regions/us-central1/addresses/a",
        "https://www.googleapis.com/compute/v1/projects/acme/regions/us-central1/addresses/a",
        "acme/us-central1/a",
        "us-central1/a",
        "a",
    ],
)
def test_an_import_accepts_every_documented_format(cloud: Client, given: str) -> None:
    id_, _ = cloud.create(ADDRESS, {"name": "a", "description": "d"})
    found, inputs, outputs = cloud.read(ADDRESS, given)
    assert found == id_
    assert inputs == {"name": "a", "description": "d"}
    assert outputs["address"]


def test_default_labels_of_the_provider_appear(cloud: Client, world: World) -> None:
    cloud.configure(project="acme", region="us-central1", defaultLabels='{"team": "ml"}')
    cloud.create(TOPIC, {"name": "orders", "labels": {"a": "b"}})
    (stored,) = world.by_type(TOPIC)
    assert stored.outputs["pulumiLabels"] == {"team": "ml", "a": "b"}


def test_a_provider_configuration_is_checked(gcp: Client) -> None:
    assert [f.path for f in gcp.check_config({"project": "p", "regoin": "r"})] == ["regoin"]
    assert gcp.check_config({"project": "p", "batching": '{"enableBatching": true}'}) == []


def test_the_resource_knows_its_urn(cloud: Client, world: World) -> None:
    id_, _ = cloud.create(TOPIC, {"name": "orders"}, name="orders")
    found = world.get(TOPIC, id_)
    assert found is not None
    assert found.urn == urn_of(TOPIC, "orders")


def test_lists_and_lookups_answer_from_the_world(cloud: Client) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    assert cloud.invoke("gcp:compute/getNetwork:getNetwork", name="n")["id"] == network
    with pytest.raises(RefusedError, match="networks/m' was not found, notFound"):
        cloud.invoke("gcp:compute/getNetwork:getNetwork", name="m")
    assert cloud.invoke("gcp:compute/getForwardingRules:getForwardingRules")["rules"] == []
    config = cloud.invoke("gcp:organizations/getClientConfig:getClientConfig")
    assert config["project"] == "acme"
    policy = cloud.invoke(
        "gcp:organizations/getIAMPolicy:getIAMPolicy",
        bindings=[{"role": "roles/viewer", "members": ["user:b", "user:a"]}],
    )
    assert '"user:a", "user:b"' in policy["policyData"]


def test_the_latest_value_of_a_secret_can_be_read_once_there_is_one(cloud: Client) -> None:
    access = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
    key = {"secret": "key"}
    secret, _ = cloud.create(
        "gcp:secretmanager/secret:Secret", {"secretId": "key", "replication": {"auto": {}}}
    )
    with pytest.raises(RefusedError, match="secrets/key/versions/latest' was not found"):
        cloud.invoke(access, **key)
    cloud.create(SECRET_VERSION, {"secret": secret, "secretData": Secret("hush")})
    assert cloud.invoke(access, **key)["secretData"] in ("hush", Secret("hush"))


def test_what_is_written_only_is_in_no_answer_and_changes_with_its_version(cloud: Client) -> None:
    cloud.enable("monitoring")
    key = {"serviceKeyWo": Secret("hush"), "serviceKeyWoVersion": "1"}
    inputs = {"type": "pagerduty", "sensitiveLabels": key}
    id_, outputs = cloud.create(CHANNEL, inputs)
    assert outputs["sensitiveLabels"] == {"serviceKeyWoVersion": "1"}
    assert cloud.read(CHANNEL, id_)[1]["sensitiveLabels"] == {"serviceKeyWoVersion": "1"}
    other = {**inputs, "sensitiveLabels": {**key, "serviceKeyWo": Secret("other")}}
    assert not cloud.diff(CHANNEL, id_, inputs, other).diffs
    newer = {**inputs, "sensitiveLabels": {**key, "serviceKeyWoVersion": "2"}}
    assert list(cloud.diff(CHANNEL, id_, inputs, newer).detailedDiff) == [
        "sensitiveLabels.serviceKeyWoVersion"
    ]


def test_the_value_of_a_secret_that_was_written_only_can_be_read(cloud: Client) -> None:
    secret, _ = cloud.create(
        "gcp:secretmanager/secret:Secret", {"secretId": "key", "replication": {"auto": {}}}
    )
    value = {"secretDataWo": Secret("hush"), "secretDataWoVersion": "1"}
    cloud.create(SECRET_VERSION, {"secret": secret, **value})
    access = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
    assert cloud.invoke(access, secret="key")["secretData"] in ("hush", Secret("hush"))  # noqa: S106 a name


def test_each_connection_has_its_own_configuration(cloud: Client, servers: Servers) -> None:
    with connect(servers.ports["gcp"]) as other:
        other.configure(project="second", region="europe-west4")
        other.enable("pubsub")
        assert other.create(TOPIC, {"name": "orders"})[0] == "projects/second/topics/orders"
        assert cloud.create(TOPIC, {"name": "orders"})[0] == "projects/acme/topics/orders"
