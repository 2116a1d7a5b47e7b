"""What Google Cloud refuses, in its words."""

import pytest

from sandbox.world import World
from tests.sandbox.client import Client, RefusedError

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ADDRESSES = "gcp:compute/globalAddress:GlobalAddress"
CONNECTION = "gcp:servicenetworking/connection:Connection"
GLOBAL_RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
REDIS = "gcp:redis/instance:Instance"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
SERVICE = "gcp:projects/service:Service"
ACCESS_LEVEL = "gcp:accesscontextmanager/accessLevel:AccessLevel"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"


@pytest.fixture
def cloud(gcp: Client) -> Client:
    gcp.enable("compute", "pubsub", "iam", "container", "bigquery")
    return gcp


def member(cloud: Client, who: str) -> str:
    return cloud.create(TOPIC_MEMBER, {"topic": "orders", "role": "roles/x", "member": who})[0]


def test_an_api_that_is_off_refuses(gcp: Client) -> None:
    with pytest.raises(RefusedError) as refused:
        gcp.create(TOPIC, {"name": "orders"})
    message = str(refused.value)
    assert message.startswith(
        "googleapi: Error 403: pubsub.googleapis.com API has not been used in"
    )
    assert "acme" in message
    assert message.endswith("accessNotConfigured")
    gcp.enable("pubsub")
    assert gcp.create(TOPIC, {"name": "orders"})[0]


def test_a_preview_does_not_ask_for_the_api(gcp: Client) -> None:
    assert gcp.create(TOPIC, {"name": "orders"}, preview=True)[1]["name"] == "orders"


def test_an_api_stays_on_unless_told_otherwise(gcp: Client, world: World) -> None:
    inputs = {"service": "pubsub.googleapis.com"}
    id_, state = gcp.create(SERVICE, inputs)
    gcp.delete(SERVICE, id_, state)
    assert world.enabled_apis("acme") == {"pubsub.googleapis.com"}
    id_, state = gcp.create(SERVICE, {**inputs, "disableOnDestroy": True})
    gcp.delete(SERVICE, id_, state)
    assert world.enabled_apis("acme") == set()


def test_the_same_name_twice_is_a_conflict(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    with pytest.raises(
        RefusedError, match=r"Error 409: .*projects/acme/topics/orders.*alreadyExists"
    ):
        cloud.create(TOPIC, {"name": "orders"})


def test_a_grant_made_twice_is_no_conflict(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    assert member(cloud, "user:a@b.c") == member(cloud, "user:a@b.c")


@pytest.mark.parametrize(
    ("token", "inputs", "missing"),
    [
        (
            SUBNETWORK,
            {"network": "n", "ipCidrRange": "10.0.0.0/24"},
            "projects/acme/global/networks/n",
        ),
        (
            SUBNETWORK,
            {"network": "https://www.googleapis.com/compute/v1/projects/acme/global/networks/n"},
            "projects/acme/global/networks/n",
        ),
        (SUBSCRIPTION, {"topic": "projects/acme/topics/orders"}, "projects/acme/topics/orders"),
        (
            "gcp:container/nodePool:NodePool",
            {"cluster": "c", "location": "us-east4"},
            "projects/acme/locations/us-east4/clusters/c",
        ),
    ],
)
def test_a_reference_to_nothing_is_refused(
    cloud: Client, token: str, inputs: dict[str, str], missing: str
) -> None:
    with pytest.raises(RefusedError, match=f"Error 404: .*'{missing}' was not found, notFound"):
        cloud.create(token, {"name": "some", **inputs})


def test_each_of_a_list_of_references_is_looked_up(cloud: Client) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    place = {"network": network, "region": "us-east4"}
    cloud.create("gcp:compute/router:Router", {"name": "r", **place})
    cloud.create(SUBNETWORK, {"name": "a", "ipCidrRange": "10.0.0.0/24", **place})
    nat = {"name": "nat", "router": "r", "region": "us-east4", "natIpAllocateOption": "MANUAL_ONLY"}
    inputs = {
        **nat,
        "sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS",
        "subnetworks": [
            {"name": each, "sourceIpRangesToNats": ["ALL_IP_RANGES"]} for each in ("a", "b")
        ],
    }
    with pytest.raises(RefusedError, match="'projects/acme/regions/us-east4/subnetworks/b' was"):
        cloud.create("gcp:compute/routerNat:RouterNat", inputs)
    inputs = {**nat, "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}
    with pytest.raises(RefusedError, match="'projects/acme/regions/us-east4/addresses/out' was"):
        cloud.create("gcp:compute/routerNat:RouterNat", {**inputs, "natIps": ["out"]})
    cloud.create("gcp:compute/address:Address", {"name": "out", "region": "us-east4"})
    assert cloud.create("gcp:compute/routerNat:RouterNat", {**inputs, "natIps": ["out"]})[0]


def test_a_subscription_needs_its_table_and_dead_letter_topic(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    base = {"name": "billing", "topic": "orders"}
    with pytest.raises(RefusedError, match="projects/acme/datasets/d/tables/results"):
        cloud.create(SUBSCRIPTION, {**base, "bigqueryConfig": {"table": "acme.d.results"}})
    dead = {"deadLetterTopic": "projects/acme/topics/dead"}
    with pytest.raises(RefusedError, match="projects/acme/topics/dead"):
        cloud.create(SUBSCRIPTION, {**base, "deadLetterPolicy": dead})


def test_a_project_number_names_the_same_project(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    number = cloud.invoke("gcp:organizations/getProject:getProject")["number"]
    inputs = {"name": "billing", "topic": f"projects/{number}/topics/orders"}
    assert cloud.create(SUBSCRIPTION, inputs)[0]


def test_a_grant_to_an_unknown_account_is_refused(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    email = "robots@acme.iam.gserviceaccount.com"
    with pytest.raises(RefusedError, match=f"Error 400: Service account {email} does not exist"):
        member(cloud, f"serviceAccount:{email}")
    cloud.create(ACCOUNT, {"accountId": "robots"})
    assert member(cloud, f"serviceAccount:{email}")


def test_service_agents_exist_once_their_api_is_on(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    number = cloud.invoke("gcp:organizations/getProject:getProject")["number"]
    assert member(cloud, f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com")
    assert member(cloud, f"serviceAccount:{number}@cloudservices.gserviceaccount.com")
    assert member(cloud, f"serviceAccount:{number}-compute@developer.gserviceaccount.com")
    run = f"serviceAccount:service-{number}@serverless-robot-prod.iam.gserviceaccount.com"
    with pytest.raises(RefusedError, match="does not exist"):
        member(cloud, run)
    cloud.enable("run")
    assert member(cloud, run)


def test_a_service_identity_names_the_agent(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    _, identity = cloud.create(
        "gcp:projects/serviceIdentity:ServiceIdentity", {"service": "pubsub.googleapis.com"}
    )
    assert identity["email"].endswith("@gcp-sa-pubsub.iam.gserviceaccount.com")
    assert member(cloud, identity["member"])


def test_workload_identity_needs_a_cluster(cloud: Client) -> None:
    cloud.create(TOPIC, {"name": "orders"})
    who = "serviceAccount:acme.svc.id.goog[default/robots]"
    with pytest.raises(RefusedError, match="Identity Pool does not exist"):
        member(cloud, who)
    cloud.create("gcp:container/cluster:Cluster", {"name": "c", "location": "us-central1"})
    assert member(cloud, who)


def test_what_lies_elsewhere_is_noted_not_refused(cloud: Client, world: World) -> None:
    inputs = {"name": "billing", "topic": "projects/elsewhere/topics/orders"}
    cloud.create(SUBSCRIPTION, inputs)
    cloud.create(TOPIC, {"name": "orders"})
    member(cloud, "group:team@example.com")
    subjects = [assumption.subject for assumption in world.assumptions()]
    assert subjects == ["group:team@example.com", "projects/elsewhere/topics/orders"]


@pytest.mark.parametrize(
    "ranges",
    [
        {"ipCidrRange": "10.0.8.0/24"},
        {
            "ipCidrRange": "10.9.0.0/24",
            "secondaryIpRanges": [{"rangeName": "p", "ipCidrRange": "10.0.0.0/16"}],
        },
    ],
)
def test_overlapping_ranges_in_a_network_are_refused(
    cloud: Client, ranges: dict[str, object]
) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    other, _ = cloud.create(NETWORK, {"name": "other"})
    cloud.create(SUBNETWORK, {"name": "a", "network": network, "ipCidrRange": "10.0.0.0/20"})
    with pytest.raises(RefusedError, match=r"Error 400: .* conflicts with existing subnetwork 'a'"):
        cloud.create(SUBNETWORK, {"name": "b", "network": network, **ranges})
    assert cloud.create(SUBNETWORK, {"name": "b", "network": other, **ranges})[0]


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"ipCidrRange": "10.0.0.1/24"}, "has host bits set"),
        ({"ipCidrRange": "10.0.0.0/27", "purpose": "REGIONAL_MANAGED_PROXY"}, "/26 or larger"),
        ({"ipCidrRange": "ten"}, "'ten'"),
    ],
)
def test_a_bad_range_is_refused(cloud: Client, inputs: dict[str, str], why: str) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    with pytest.raises(RefusedError, match=why):
        cloud.create(SUBNETWORK, {"name": "a", "network": network, **inputs})


def test_a_cluster_needs_the_ranges_it_names(cloud: Client) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    subnetwork, _ = cloud.create(
        SUBNETWORK, {"name": "a", "network": network, "ipCidrRange": "10.0.0.0/20"}
    )
    inputs = {"name": "c", "location": "us-central1", "network": network, "subnetwork": subnetwork}
    with pytest.raises(RefusedError, match="secondary range 'pods' not found"):
        cloud.create(
            "gcp:container/cluster:Cluster",
            {**inputs, "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods"}},
        )


def test_what_is_in_use_cannot_be_deleted(cloud: Client) -> None:
    network, _ = cloud.create(NETWORK, {"name": "n"})
    subnetwork, _ = cloud.create(
        SUBNETWORK, {"name": "a", "network": network, "ipCidrRange": "10.0.0.0/20"}
    )
    with pytest.raises(RefusedError) as refused:
        cloud.delete(NETWORK, network)
    assert "Error 400: The network resource 'projects/acme/global/networks/n'" in str(refused.value)
    assert f"is already being used by '{subnetwork}'" in str(refused.value)
    cloud.delete(SUBNETWORK, subnetwork)
    cloud.delete(NETWORK, network)


def test_a_dataset_with_tables_stays_unless_forced(cloud: Client) -> None:
    dataset, _ = cloud.create("gcp:bigquery/dataset:Dataset", {"datasetId": "d"})
    cloud.create("gcp:bigquery/table:Table", {"datasetId": "d", "tableId": "t"})
    with pytest.raises(RefusedError, match="Dataset is still in use"):
        cloud.delete("gcp:bigquery/dataset:Dataset", dataset)
    cloud.delete("gcp:bigquery/dataset:Dataset", dataset, {"deleteContentsOnDestroy": True})


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ({}, False),
        ({"deletionProtection": True}, False),
        ({"deletionProtection": False}, True),
        ({"deletionProtection": False, "deletionPolicy": "PREVENT"}, False),
    ],
)
def test_protected_resources_stay(cloud: Client, state: dict[str, object], allowed: bool) -> None:
    token = "gcp:container/cluster:Cluster"  # noqa: S105 -- a type
    id_, _ = cloud.create(token, {"name": "c", "location": "us-central1", **state})
    if allowed:
        cloud.delete(token, id_, state)
        assert cloud.read(token, id_)[0] == ""
    else:
        with pytest.raises(RefusedError, match="cannot destroy Cluster"):
            cloud.delete(token, id_, state)
        assert cloud.read(token, id_)[0] == id_


def test_an_abandoned_resource_stays_in_the_cloud(cloud: Client) -> None:
    id_, _ = cloud.create(TOPIC, {"name": "orders", "deletionPolicy": "ABANDON"})
    cloud.delete(TOPIC, id_, {"deletionPolicy": "ABANDON"})
    assert cloud.read(TOPIC, id_)[0] == id_


def test_a_refused_request_leaves_no_trace(cloud: Client, world: World) -> None:
    before = world.count()
    with pytest.raises(RefusedError):
        cloud.create(SUBNETWORK, {"name": "a", "network": "n", "ipCidrRange": "10.0.0.0/24"})
    assert world.count() == before


def test_an_access_level_that_a_perimeter_names_stays(cloud: Client) -> None:
    cloud.enable("accesscontextmanager")
    policy = {"parent": "accessPolicies/1", "title": "acme"}
    conditions = [{"ipSubnetworks": ["203.0.113.0/24"]}]
    name = "accessPolicies/1/accessLevels/corporate"
    inputs = {**policy, "name": name, "basic": {"conditions": conditions}}
    level, state = cloud.create(ACCESS_LEVEL, inputs)
    caller = {"identities": ["user:ada@acme.com"], "sources": [{"accessLevel": level}]}
    status = {
        "restrictedServices": ["storage.googleapis.com"],
        "ingressPolicies": [{"ingressFrom": caller}],
    }
    name = "accessPolicies/1/servicePerimeters/acme"
    perimeter, made = cloud.create(PERIMETER, {**policy, "name": name, "status": status})
    with pytest.raises(RefusedError, match="access level is referenced by a service perimeter"):
        cloud.delete(ACCESS_LEVEL, level, state)
    cloud.delete(PERIMETER, perimeter, made)
    cloud.delete(ACCESS_LEVEL, level, state)


def network_of(cloud: Client) -> tuple[str, str]:
    network, _ = cloud.create(NETWORK, {"name": "vpc", "autoCreateSubnetworks": False})
    given = {"name": "nodes", "network": network, "ipCidrRange": "10.0.0.0/24"}
    return network, cloud.create(SUBNETWORK, given, name="nodes")[0]


@pytest.mark.parametrize(
    ("token", "scheme", "purpose", "other"),
    [
        (RULE, "INTERNAL_MANAGED", "REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY"),
        (RULE, "EXTERNAL_MANAGED", "REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY"),
        (GLOBAL_RULE, "INTERNAL_MANAGED", "GLOBAL_MANAGED_PROXY", "REGIONAL_MANAGED_PROXY"),
    ],
)
def test_the_proxies_of_a_load_balancer_need_a_subnetwork(
    cloud: Client, token: str, scheme: str, purpose: str, other: str
) -> None:
    network, nodes = network_of(cloud)
    within = {"subnetwork": nodes} if scheme == "INTERNAL_MANAGED" else {"network": network}
    rule = {"name": "lb", "loadBalancingScheme": scheme, "target": "proxy", **within}
    for index, given in enumerate((other, purpose)):
        with pytest.raises(RefusedError, match="An active proxy-only subnetwork is required"):
            cloud.create(token, rule)
        proxies = {"name": f"p{index}", "network": network, "ipCidrRange": f"10.0.{index + 1}.0/24"}
        cloud.create(SUBNETWORK, {**proxies, "purpose": given, "role": "ACTIVE"}, name=given)
    assert cloud.create(token, rule)


def test_redis_in_a_network_needs_private_services_access(cloud: Client) -> None:
    cloud.enable("redis", "servicenetworking")
    network, _ = network_of(cloud)
    redis = {"name": "cache", "memorySizeGb": 1, "authorizedNetwork": network}
    assert cloud.create(REDIS, {**redis, "name": "peered"}, name="peered")
    redis["connectMode"] = "PRIVATE_SERVICE_ACCESS"
    with pytest.raises(RefusedError, match="Google private service access is not enabled"):
        cloud.create(REDIS, redis)
    cloud.create(ADDRESSES, {"name": "range", "purpose": "VPC_PEERING", "network": network})
    service = "servicenetworking.googleapis.com"
    peered = {"network": network, "service": service, "reservedPeeringRanges": ["range"]}
    cloud.create(CONNECTION, peered)
    assert cloud.create(REDIS, redis)


def test_an_address_that_does_something_names_what_must_be_there(cloud: Client) -> None:
    cloud.enable("run", "cloudscheduler")
    job = "projects/acme/locations/us-central1/jobs/nightly"
    schedule = {
        "name": "nightly-schedule",
        "region": "us-central1",
        "httpTarget": {"uri": f"https://run.googleapis.com/v2/{job}:run"},
    }
    with pytest.raises(RefusedError, match=f"The resource '{job}' was not found"):
        cloud.create("gcp:cloudscheduler/job:Job", schedule)
    template = {"template": {"containers": [{"image": "docker.io/acme/nightly:1.0"}]}}
    cloud.create(
        "gcp:cloudrunv2/job:Job",
        {"name": "nightly", "location": "us-central1", "template": template},
    )
    assert cloud.create("gcp:cloudscheduler/job:Job", schedule)[0]
