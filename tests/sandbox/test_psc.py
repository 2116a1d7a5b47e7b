"""Private Service Connect between two networks."""

from typing import Any

import pytest

from sandbox.providers import Servers
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ADDRESS = "gcp:compute/address:Address"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
ATTACHMENT = "gcp:compute/serviceAttachment:ServiceAttachment"


@pytest.fixture
def producer(gcp: Client) -> dict[str, Any]:
    """Return the inputs of a service attachment for a load balancer in a network of its own."""
    gcp.enable("compute")
    network, _ = gcp.create(NETWORK, {"name": "producer"})
    nat, _ = gcp.create(
        SUBNETWORK,
        {
            "name": "nat",
            "network": network,
            "ipCidrRange": "10.0.1.0/24",
            "purpose": "PRIVATE_SERVICE_CONNECT",
        },
    )
    nodes, _ = gcp.create(
        SUBNETWORK, {"name": "nodes", "network": network, "ipCidrRange": "10.0.0.0/24"}
    )
    proxies = {"purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE"}
    gcp.create(
        SUBNETWORK,
        {"name": "proxies", "network": network, "ipCidrRange": "10.0.2.0/24", **proxies},
    )
    rule, _ = gcp.create(
        RULE, {"name": "lb", "loadBalancingScheme": "INTERNAL_MANAGED", "subnetwork": nodes}
    )
    return {
        "name": "attachment",
        "targetService": rule,
        "natSubnets": [nat],
        "connectionPreference": "ACCEPT_MANUAL",
        "enableProxyProtocol": False,
    }


def consumer(gcp: Client, network: str = "consumer") -> None:
    gcp.create(NETWORK, {"name": network})
    inputs = {"name": network, "network": network, "ipCidrRange": "10.5.0.0/24"}
    gcp.create(SUBNETWORK, inputs)


def endpoint(
    gcp: Client, attachment: str, name: str = "endpoint", network: str = "consumer"
) -> tuple[str, dict[str, Any]]:
    address, _ = gcp.create(
        ADDRESS, {"name": name, "addressType": "INTERNAL", "subnetwork": network}
    )
    inputs = {
        "name": name,
        "target": attachment,
        "network": network,
        "ipAddress": address,
        "loadBalancingScheme": "",
    }
    return gcp.create(RULE, inputs)


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ({"connectionPreference": "ACCEPT_AUTOMATIC"}, "ACCEPTED"),
        ({"consumerAcceptLists": [{"projectIdOrNum": "acme", "connectionLimit": 1}]}, "ACCEPTED"),
        (
            {
                "consumerAcceptLists": [
                    {"networkUrl": "projects/acme/global/networks/consumer", "connectionLimit": 1}
                ]
            },
            "ACCEPTED",
        ),
        ({"consumerAcceptLists": [{"projectIdOrNum": "other", "connectionLimit": 1}]}, "PENDING"),
        ({"consumerRejectLists": ["acme"]}, "REJECTED"),
        ({}, "PENDING"),
    ],
)
def test_the_accept_lists_decide_a_connection(
    gcp: Client, producer: dict[str, Any], extra: dict[str, Any], status: str
) -> None:
    consumer(gcp)
    attachment, made = gcp.create(ATTACHMENT, {**producer, **extra})
    assert made["connectedEndpoints"] == []
    id_, rule = endpoint(gcp, attachment)
    assert rule["pscConnectionStatus"] == status
    assert rule["pscConnectionId"].isdigit()
    assert rule["ipAddress"].startswith("10.5.0.")
    listed = gcp.read(ATTACHMENT, attachment)[2]["connectedEndpoints"]
    assert [(item["endpoint"], item["status"]) for item in listed] == [
        (f"https://www.googleapis.com/compute/v1/{id_}", status)
    ]


def test_a_connection_limit_holds_and_a_wider_list_accepts_later(
    gcp: Client, producer: dict[str, Any], world: World
) -> None:
    accept = {"projectIdOrNum": "acme", "connectionLimit": 1}
    inputs = {**producer, "consumerAcceptLists": [accept]}
    attachment, made = gcp.create(ATTACHMENT, inputs)
    consumer(gcp)
    assert endpoint(gcp, attachment, "one")[1]["pscConnectionStatus"] == "ACCEPTED"
    assert endpoint(gcp, attachment, "two")[1]["pscConnectionStatus"] == "PENDING"
    wider = {**inputs, "consumerAcceptLists": [{**accept, "connectionLimit": 5}]}
    gcp.update(ATTACHMENT, attachment, made, wider)
    statuses = {rule.outputs["pscConnectionStatus"] for rule in world.by_type(RULE)}
    assert statuses == {"ACCEPTED", ""}


def test_each_entry_of_a_list_has_a_limit_of_its_own(
    gcp: Client, producer: dict[str, Any], servers: Servers
) -> None:
    limits = {"acme": 1, "other": 2}
    accepted = [
        {"projectIdOrNum": name, "connectionLimit": limit} for name, limit in limits.items()
    ]
    attachment, _ = gcp.create(ATTACHMENT, {**producer, "consumerAcceptLists": accepted})
    statuses: dict[str, list[str]] = {}
    for project in (*limits, "third"):
        with connect(servers.ports["gcp"]) as theirs:
            theirs.configure(project=project, region="us-central1")
            theirs.enable("compute")
            consumer(theirs)
            statuses[project] = [
                endpoint(theirs, attachment, f"{project}-{each}")[1]["pscConnectionStatus"]
                for each in range(3)
            ]
    assert statuses == {
        "acme": ["ACCEPTED", "PENDING", "PENDING"],
        "other": ["ACCEPTED", "ACCEPTED", "PENDING"],
        "third": ["PENDING", "PENDING", "PENDING"],
    }


def test_networks_of_one_project_have_limits_of_their_own(
    gcp: Client, producer: dict[str, Any]
) -> None:
    accepted = [
        {"networkUrl": f"projects/acme/global/networks/{name}", "connectionLimit": 1}
        for name in ("one", "two")
    ]
    for network in ("one", "two"):
        consumer(gcp, network)
    attachment, _ = gcp.create(ATTACHMENT, {**producer, "consumerAcceptLists": accepted})
    for network in ("one", "two"):
        found = [
            endpoint(gcp, attachment, f"{network}-{each}", network)[1]["pscConnectionStatus"]
            for each in range(2)
        ]
        assert found == ["ACCEPTED", "PENDING"]


def test_a_published_rule_cannot_be_deleted_first(gcp: Client, producer: dict[str, Any]) -> None:
    attachment, _ = gcp.create(ATTACHMENT, producer)
    with pytest.raises(RefusedError, match=r"forwardingRule resource .* is already being used"):
        gcp.delete(RULE, producer["targetService"])
    gcp.delete(ATTACHMENT, attachment)
    gcp.delete(RULE, producer["targetService"])


def test_the_nat_subnetwork_must_be_made_for_it(gcp: Client, producer: dict[str, Any]) -> None:
    wrong = {**producer, "natSubnets": ["projects/acme/regions/us-central1/subnetworks/nodes"]}
    with pytest.raises(RefusedError, match="must be PRIVATE_SERVICE_CONNECT"):
        gcp.create(ATTACHMENT, wrong)
    gcp.create(ATTACHMENT, producer)
    with pytest.raises(RefusedError, match="is already being used by"):
        gcp.create(ATTACHMENT, {**producer, "name": "second"})


def test_an_address_serves_one_rule(gcp: Client, producer: dict[str, Any]) -> None:
    attachment, _ = gcp.create(ATTACHMENT, producer)
    consumer(gcp)
    _, rule = endpoint(gcp, attachment)
    with pytest.raises(RefusedError, match="Error 409: IP_IN_USE_BY_ANOTHER_RESOURCE"):
        gcp.create(RULE, {"name": "x", "ipAddress": rule["ipAddress"], "target": attachment})


@pytest.mark.parametrize(("reconciles", "status"), [(True, "PENDING"), (False, "ACCEPTED")])
def test_who_is_not_accepted_any_more_stays_connected_unless_connections_are_reconciled(
    gcp: Client, producer: dict[str, Any], reconciles: bool, status: str
) -> None:
    accept = {"projectIdOrNum": "acme", "connectionLimit": 1}
    inputs = {**producer, "reconcileConnections": reconciles, "consumerAcceptLists": [accept]}
    attachment, made = gcp.create(ATTACHMENT, inputs)
    consumer(gcp)
    id_, _ = endpoint(gcp, attachment)
    other = {**inputs, "consumerAcceptLists": [{**accept, "projectIdOrNum": "other"}]}
    gcp.update(ATTACHMENT, attachment, made, other)
    assert gcp.read(RULE, id_)[2]["pscConnectionStatus"] == status


def test_an_endpoint_of_an_attachment_that_was_made_anew_is_closed_until_it_is_too(
    gcp: Client, producer: dict[str, Any]
) -> None:
    inputs = {**producer, "connectionPreference": "ACCEPT_AUTOMATIC"}
    attachment, _ = gcp.create(ATTACHMENT, inputs)
    consumer(gcp)
    id_, rule = endpoint(gcp, attachment)
    gcp.delete(ATTACHMENT, attachment)
    gcp.create(ATTACHMENT, inputs)
    state = gcp.read(RULE, id_)[2]
    assert state["pscConnectionStatus"] == "CLOSED"
    asked = {**rule, "recreateClosedPsc": True}
    assert list(gcp.diff(RULE, id_, {**state, "recreateClosedPsc": True}, asked).replaces) == [
        "pscConnectionStatus"
    ]
    assert list(gcp.diff(RULE, id_, rule, rule).replaces) == []
