"""A Gateway and the load balancer GKE makes for it."""

from collections.abc import Generator
from typing import Any

import pytest

from sandbox.kubernetes.references import dangling
from sandbox.providers import Servers
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect
from tests.sandbox.clusters import make_cluster, make_kubeconfig

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
POLICY = "kubernetes:networking.gke.io/v1:GCPGatewayPolicy"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
ADDRESS = "gcp:compute/address:Address"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
ATTACHMENT = "gcp:compute/serviceAttachment:ServiceAttachment"
RULES = "networking.gke.io/forwarding-rules"
WAIT = {"pulumi.com/waitFor": "condition=Programmed"}


@pytest.fixture
def network(gcp: Client) -> str:
    gcp.enable("compute", "container")
    network, _ = gcp.create(NETWORK, {"name": "n"})
    gcp.create(SUBNETWORK, {"name": "nodes", "network": network, "ipCidrRange": "10.0.0.0/24"})
    gcp.create(ADDRESS, {"name": "vip", "addressType": "INTERNAL", "subnetwork": "nodes"})
    return network


@pytest.fixture
def proxies(gcp: Client, network: str) -> str:
    inputs = {"name": "proxies", "network": network, "ipCidrRange": "10.0.2.0/23"}
    more = {"purpose": "REGIONAL_MANAGED_PROXY", "role": "ACTIVE"}
    return gcp.create(SUBNETWORK, {**inputs, **more})[0]


@pytest.fixture
def cluster(gcp: Client, servers: Servers, network: str) -> Generator[Client]:
    config = make_cluster(
        gcp,
        "one",
        network=network,
        subnetwork="projects/acme/regions/us-central1/subnetworks/nodes",
        gatewayApiConfig={"channel": "CHANNEL_STANDARD"},
    )
    with connect(servers.ports["kubernetes"]) as client:
        client.configure(kubeconfig=config)
        yield client


def gateway(*ports: int, **more: Any) -> dict[str, Any]:
    listeners = [
        {"name": f"p{port}", "port": port, "protocol": "HTTPS"} for port in ports or (443,)
    ]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "door", "annotations": WAIT},
        "spec": {
            "gatewayClassName": "gke-l7-rilb",
            "addresses": [{"type": "NamedAddress", "value": "vip"}],
            "listeners": listeners,
            **more,
        },
    }


def rules_of(gcp: Client) -> list[dict[str, Any]]:
    token = "gcp:compute/getForwardingRules:getForwardingRules"  # noqa: S105 -- a function
    return gcp.invoke(token, region="us-central1")["rules"]


@pytest.mark.usefixtures("proxies")
def test_a_gateway_is_programmed_with_the_named_address(gcp: Client, cluster: Client) -> None:
    address = gcp.read(ADDRESS, "vip")[2]["address"]
    id_, made = cluster.create(GATEWAY, gateway())
    assert id_ == "default/door"
    assert made["status"]["addresses"] == [{"type": "IPAddress", "value": address}]
    conditions = {item["type"]: item["status"] for item in made["status"]["conditions"]}
    assert conditions["Programmed"] == "True"
    (rule,) = rules_of(gcp)
    assert rule["ipAddress"] == address
    assert rule["portRange"] == "443-443"
    assert rule["network"].endswith("projects/acme/global/networks/n")
    named = made["metadata"]["annotations"][RULES]
    assert named.endswith(f"/regions/us-central1/forwardingRules/{rule['name']}")
    assert rule["selfLink"].endswith(rule["name"])


def test_a_gateway_without_a_proxy_subnetwork_is_never_programmed(
    cluster: Client, world: World
) -> None:
    with pytest.raises(RefusedError, match=r"condition Programmed.*REGIONAL_MANAGED_PROXY"):
        cluster.create(GATEWAY, gateway())
    assert world.by_type(GATEWAY) == []


@pytest.mark.usefixtures("proxies")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"addresses": [{"type": "NamedAddress", "value": "no"}]}, "addresses/no' was not found"),
        ({"gatewayClassName": "nginx"}, "GatewayClass 'nginx' not found; allowed: gke-l7-rilb"),
        (
            {
                "listeners": [
                    {
                        "name": "h",
                        "port": 443,
                        "protocol": "HTTPS",
                        "tls": {"options": {"networking.gke.io/cert-manager-certs": "no"}},
                    }
                ]
            },
            "certificates/no' was not found",
        ),
    ],
)
def test_what_a_gateway_names_must_exist(cluster: Client, more: dict[str, Any], why: str) -> None:
    with pytest.raises(RefusedError, match="failed to fully initialize") as refused:
        cluster.create(GATEWAY, gateway(**more))
    assert why in str(refused.value)


@pytest.mark.usefixtures("proxies")
def test_two_ports_on_one_address_need_a_shared_address(gcp: Client, cluster: Client) -> None:
    with pytest.raises(RefusedError, match="SHARED_LOADBALANCER_VIP"):
        cluster.create(GATEWAY, gateway(80, 443))
    shared = {"name": "shared", "addressType": "INTERNAL", "purpose": "SHARED_LOADBALANCER_VIP"}
    gcp.create(ADDRESS, {**shared, "subnetwork": "nodes"})
    named = [{"type": "NamedAddress", "value": "shared"}]
    cluster.create(GATEWAY, gateway(80, 443, addresses=named))
    assert {rule["portRange"] for rule in rules_of(gcp)} == {"80-80", "443-443"}


@pytest.mark.usefixtures("proxies")
def test_without_waiting_the_provider_answers_before_the_controller(
    gcp: Client, cluster: Client
) -> None:
    hasty = gateway()
    hasty["metadata"] = {"name": "door"}
    _, made = cluster.create(GATEWAY, hasty)
    assert "status" not in made
    assert rules_of(gcp) == []
    cluster.configure(kubeconfig=make_kubeconfig(gcp))  # the next run: the controller had its time
    assert len(rules_of(gcp)) == 1
    assert "Programmed" in str(cluster.read(GATEWAY, "default/door")[2]["status"])


@pytest.mark.usefixtures("proxies")
def test_a_changed_listener_changes_the_rules(gcp: Client, cluster: Client) -> None:
    id_, made = cluster.create(GATEWAY, gateway())
    checked, _ = cluster.checked(GATEWAY, gateway(8443))
    cluster.update(GATEWAY, id_, made, checked)
    assert [rule["portRange"] for rule in rules_of(gcp)] == ["8443-8443"]


@pytest.mark.usefixtures("proxies")
def test_a_published_gateway_goes_last(gcp: Client, cluster: Client, network: str) -> None:
    cluster.create(GATEWAY, gateway())
    (rule,) = rules_of(gcp)
    nat = {"name": "nat", "network": network, "ipCidrRange": "10.0.1.0/24"}
    subnetwork, _ = gcp.create(SUBNETWORK, {**nat, "purpose": "PRIVATE_SERVICE_CONNECT"})
    attachment, _ = gcp.create(
        ATTACHMENT,
        {
            "name": "attachment",
            "targetService": rule["selfLink"],
            "natSubnets": [subnetwork],
            "connectionPreference": "ACCEPT_AUTOMATIC",
            "enableProxyProtocol": False,
        },
    )
    with pytest.raises(RefusedError, match=r"failed to be deleted.*is already being used by"):
        cluster.delete(GATEWAY, "default/door")
    gcp.delete(ATTACHMENT, attachment)
    cluster.delete(GATEWAY, "default/door")
    assert rules_of(gcp) == []


@pytest.mark.usefixtures("proxies")
def test_a_cluster_deleted_first_leaves_its_load_balancer_behind(
    gcp: Client, cluster: Client, network: str
) -> None:
    cluster.create(GATEWAY, gateway())
    id_ = "projects/acme/locations/us-central1/clusters/one"
    gcp.delete("gcp:container/cluster:Cluster", id_, {"deletionProtection": False})
    (rule,) = rules_of(gcp)
    with pytest.raises(RefusedError, match=rule["name"]):
        gcp.delete(SUBNETWORK, "projects/acme/regions/us-central1/subnetworks/nodes")


@pytest.mark.usefixtures("proxies")
def test_a_gateway_policy_opens_global_access(gcp: Client, cluster: Client) -> None:
    cluster.create(GATEWAY, gateway())
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "door"}
    spec = {"default": {"allowGlobalAccess": True}, "targetRef": target}
    policy = {"metadata": {"name": "p"}, "spec": spec}
    cluster.create(POLICY, policy)
    assert [rule["allowGlobalAccess"] for rule in rules_of(gcp)] == [True]


@pytest.mark.usefixtures("proxies")
def test_a_gateway_policy_may_stand_before_its_gateway(gcp: Client, cluster: Client) -> None:
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "door"}
    spec = {"default": {"allowGlobalAccess": True}, "targetRef": target}
    cluster.create(POLICY, {"metadata": {"name": "p"}, "spec": spec})
    cluster.create(GATEWAY, gateway())
    assert [rule["allowGlobalAccess"] for rule in rules_of(gcp)] == [True]


@pytest.mark.usefixtures("proxies")
def test_a_policy_for_no_gateway_is_accepted_and_found_dangling(
    cluster: Client, world: World
) -> None:
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "door"}
    cluster.create(POLICY, {"metadata": {"name": "p"}, "spec": {"targetRef": target}})
    (line,) = dangling(world)
    assert line.startswith("GCPGatewayPolicy default/p in projects/acme/")
    assert 'spec.targetRef: gateways.gateway.networking.k8s.io "door" not found' in line
    cluster.create(GATEWAY, gateway())
    assert dangling(world) == []
