"""What is there before anything is made: read from a document, put into a world, and left alone."""

from pathlib import Path
from typing import Any

import pytest

from catalog.strict_yaml import load
from sandbox.existing import ExistingError, put, read
from sandbox.values import Secret
from sandbox.world import EXISTING, World
from tests.sandbox.client import Client, RefusedError
from tests.sandbox.clusters import make_cluster

VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
ACCESS = "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess"
MISTAKES: Any = load(Path(__file__).with_name("existing_mistakes.yaml").read_text(encoding="utf-8"))
SECRET: dict[str, Any] = {"project": "acme", "secretId": "key", "replication": {"auto": {}}}
VALUE = {"secret": "projects/acme/secrets/key", "secretData": "made up"}
ZONE = {"project": "acme", "name": "acme-com", "dnsName": "acme.com."}
BUCKET = {"project": "acme", "name": "acme-weights", "location": "US"}
RECORD = {
    "project": "acme",
    "managedZone": "acme-com",
    "name": "www.acme.com.",
    "type": "A",
    "ttl": 60,
    "rrdatas": ["10.0.0.1"],
}
REFERENCES: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "dns.ManagedZone": (ZONE, "gcp:dns/recordSet:RecordSet", RECORD),
    "storage.Bucket": (
        BUCKET,
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        {"bucket": "acme-weights", "role": "roles/storage.objectViewer", "member": "user:a@b.c"},
    ),
    "pubsub.Topic": (
        {"project": "acme", "name": "orders"},
        "gcp:pubsub/subscription:Subscription",
        {"name": "mine", "topic": "projects/acme/topics/orders"},
    ),
    "bigquery.Dataset": (
        {"project": "acme", "datasetId": "lake", "location": "US"},
        "gcp:bigquery/table:Table",
        {"datasetId": "lake", "tableId": "mine"},
    ),
    "kms.CryptoKey": (
        {"keyRing": "projects/acme/locations/us/keyRings/ring", "name": "key"},
        "gcp:pubsub/topic:Topic",
        {"name": "mine", "kmsKeyName": "projects/acme/locations/us/keyRings/ring/cryptoKeys/key"},
    ),
    "compute.Network": (
        {"project": "acme", "name": "shared"},
        "gcp:compute/firewall:Firewall",
        {
            "name": "mine",
            "network": "projects/acme/global/networks/shared",
            "allows": [{"protocol": "tcp"}],
            "sourceRanges": ["10.0.0.0/8"],
        },
    ),
    "certificatemanager.Certificate": (
        {
            "project": "acme",
            "location": "us-central1",
            "name": "theirs",
            "managed": {"domains": ["acme.com"]},
        },
        "gcp:compute/regionTargetHttpsProxy:RegionTargetHttpsProxy",
        {
            "name": "mine",
            "region": "us-central1",
            "urlMap": "projects/x/regions/r/urlMaps/m",
            "certificateManagerCertificates": [
                "projects/acme/locations/us-central1/certificates/theirs"
            ],
        },
    ),
}


@pytest.fixture
def cloud(gcp: Client) -> Client:
    services = (
        "secretmanager dns storage pubsub bigquery cloudkms compute apigee certificatemanager"
    )
    gcp.enable(*services.split())
    return gcp


def there(world: World, **types: Any) -> None:
    """Let exactly these be there, by type as a document names it with `__` for its dot."""
    document = {"existing": {name.replace("__", "."): each for name, each in types.items()}}
    put(world, read(document), ())


@pytest.mark.parametrize("name", REFERENCES)
def test_what_others_made_can_be_referred_to(cloud: Client, world: World, name: str) -> None:
    theirs, token, mine = REFERENCES[name]
    with pytest.raises(RefusedError, match="was not found"):
        cloud.create(token, mine)
    put(world, read({"existing": {name: [theirs]}}), ())
    cloud.create(token, mine)


def test_what_others_made_is_looked_up(cloud: Client, world: World) -> None:
    with pytest.raises(RefusedError, match="versions/latest' was not found"):
        cloud.invoke(ACCESS, secret="key")  # noqa: S106 a name
    rotated = [VALUE, {**VALUE, "secretData": "newer"}]
    there(world, secretmanager__Secret=[SECRET], secretmanager__SecretVersion=rotated)
    found = cloud.invoke(ACCESS, secret="key")  # noqa: S106 a name
    assert found["name"] == "projects/acme/secrets/key/versions/2"
    assert found["secretData"] in ("newer", Secret("newer"))
    there(world, dns__ManagedZone=[ZONE])
    zone = cloud.invoke("gcp:dns/getManagedZone:getManagedZone", name="acme-com")
    assert zone["dnsName"] == "acme.com."


def test_a_data_source_says_what_there_is_once_as_a_list(cloud: Client, world: World) -> None:
    cloud.enable("container")
    cluster = {
        "project": "acme",
        "location": "us-central1",
        "name": "theirs",
        "addonsConfig": {"httpLoadBalancing": {"disabled": True}},
        "monitoringConfig": {"managedPrometheus": {"enabled": True}},
    }
    there(world, container__Cluster=[cluster])
    found = cloud.invoke(
        "gcp:container/getCluster:getCluster", name="theirs", location="us-central1"
    )
    assert found["addonsConfigs"][0]["httpLoadBalancings"] == [{"disabled": True}]
    assert found["monitoringConfigs"][0]["managedPrometheuses"][0]["enabled"] is True


def test_what_is_there_elsewhere_is_not_assumed(cloud: Client, world: World) -> None:
    record = {**RECORD, "project": "acme-dns", "managedZone": "projects/acme-dns/managedZones/z"}
    there(world, dns__ManagedZone=[{**ZONE, "project": "acme-dns", "name": "z"}])
    cloud.create("gcp:dns/recordSet:RecordSet", record)
    assumed = {each.subject for each in world.assumptions()}
    assert assumed == {"projects/acme-dns"}


def test_what_is_there_stays_as_it_is_and_goes_with_its_entry(world: World) -> None:
    there(world, dns__ManagedZone=[ZONE], secretmanager__SecretVersion=[VALUE])
    before = world.all()
    there(world, dns__ManagedZone=[ZONE], secretmanager__SecretVersion=[VALUE])
    assert world.all() == before
    there(world, dns__ManagedZone=[{**ZONE, "dnsName": "acme.org."}])
    (zone,) = world.all()
    assert (zone.owner, zone.outputs["dnsName"]) == (EXISTING, "acme.org.")


def test_what_a_state_holds_is_left_alone(world: World) -> None:
    there(world, dns__ManagedZone=[ZONE])
    (zone,) = world.all()
    put(world, [], {(zone.type, zone.id)})
    assert world.all() == [zone]


def test_what_others_made_counts_for_nothing_that_was_made(world: World) -> None:
    there(world, dns__ManagedZone=[ZONE])
    assert (world.count(), len(world.all())) == (0, 1)


def test_a_program_makes_nothing_that_is_there(cloud: Client, world: World) -> None:
    there(world, storage__Bucket=[BUCKET])
    with pytest.raises(RefusedError, match="'acme-weights' already exists"):
        cloud.create("gcp:storage/bucket:Bucket", BUCKET)


def test_the_cloud_chose_an_id(world: World) -> None:
    policy = {"parent": "organizations/1", "title": "all", "id": "123456"}
    there(world, accesscontextmanager__AccessPolicy=[policy])
    assert [each.id for each in world.all()] == ["123456"]


def test_objects_of_others_are_in_every_cluster_and_go_with_it(gcp: Client, world: World) -> None:
    for name in ("one", "two"):
        make_cluster(gcp, name)
    service = {"metadata": {"name": "shared", "namespace": "apim"}, "spec": {}}
    put(world, read({"existing": {"kubernetes:core/v1:Service": [service]}}), ())
    put(world, read({"existing": {"kubernetes:core/v1:Service": [service]}}), ())
    found = [each for each in world.all() if each.owner == EXISTING]
    assert {(each.id, each.scope.rpartition("/")[2]) for each in found} == {
        ("apim/shared", "one"),
        ("apim/shared", "two"),
    }
    gcp.delete("gcp:container/cluster:Cluster", found[0].scope, {"deletionProtection": False})
    assert len([each for each in world.all() if each.owner == EXISTING]) == 1


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake: str) -> None:
    with pytest.raises(ExistingError) as refused:
        read(MISTAKES[mistake]["document"])
    assert refused.value.lines == (MISTAKES[mistake]["says"],)


def test_every_mistake_is_told_at_once() -> None:
    document = {"existing": {"dns.Zone": [], "dns.ManagedZone": [{"name": "Bad"}]}}
    with pytest.raises(ExistingError) as refused:
        read(document)
    told = {line.partition(": ")[0].rpartition("]")[2] for line in refused.value.lines}
    assert told == {"", ".name", ".dnsName", ".project"}


def test_an_empty_document_says_that_nothing_is_there() -> None:
    assert read(None) == []
