"""Vpc: private nodes, closed ingress, one proxy-only and one PSC subnet per region."""

from typing import Any, cast

import pytest

from components.network.vpc import SubnetRanges, Vpc, VpcArgs, validate_vpc
from tests.unit.harness import Cloud, Deploy, Recorded

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
FIREWALL = "gcp:compute/firewall:Firewall"
NAT = "gcp:compute/routerNat:RouterNat"
RECORD = "gcp:dns/recordSet:RecordSet"
ZONE = "gcp:dns/managedZone:ManagedZone"

CENTRAL: SubnetRanges = {
    "nodes": "10.10.0.0/20",
    "pods": "10.64.0.0/14",
    "services": "10.10.32.0/20",
    "proxy_only": "10.10.48.0/23",
    "psc_nat": "10.10.50.0/24",
}
EAST: SubnetRanges = {
    "nodes": "10.20.0.0/20",
    "pods": "10.68.0.0/14",
    "services": "10.20.32.0/20",
    "proxy_only": "10.20.48.0/23",
    "psc_nat": "10.20.50.0/24",
}
ARGS: VpcArgs = {"project": "acme", "subnets": {"us-central1": CENTRAL}}
TWO_REGIONS: VpcArgs = {"project": "acme", "subnets": {"us-central1": CENTRAL, "us-east4": EAST}}


def _deploy(deploy: Deploy, args: VpcArgs) -> Cloud:
    return deploy(lambda: Vpc("net", args))


def test_network_makes_no_subnets_of_its_own(deploy: Deploy):
    network = _deploy(deploy, ARGS).one(NETWORK, "net-network")
    assert network.inputs["name"] == "net"
    assert network.inputs["autoCreateSubnetworks"] is False


@pytest.mark.parametrize(("args", "mode"), [(ARGS, "REGIONAL"), (TWO_REGIONS, "GLOBAL")])
def test_several_regions_route_globally(deploy: Deploy, args: VpcArgs, mode: str):
    assert _deploy(deploy, args).one(NETWORK).inputs["routingMode"] == mode


def test_node_subnet_is_private_logged_and_has_named_ranges(deploy: Deploy):
    subnet = _deploy(deploy, ARGS).one(SUBNETWORK, "net-us-central1-nodes")
    assert subnet.inputs["ipCidrRange"] == "10.10.0.0/20"
    assert subnet.inputs["secondaryIpRanges"] == [
        {"rangeName": "pods", "ipCidrRange": "10.64.0.0/14"},
        {"rangeName": "services", "ipCidrRange": "10.10.32.0/20"},
    ]
    assert subnet.inputs["privateIpGoogleAccess"] is True
    assert subnet.inputs["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA"


@pytest.mark.parametrize(
    ("name", "purpose", "role"),
    [
        ("net-us-central1-proxy-only", "REGIONAL_MANAGED_PROXY", "ACTIVE"),
        ("net-us-central1-psc-nat", "PRIVATE_SERVICE_CONNECT", None),
    ],
)
def test_special_subnets(deploy: Deploy, name: str, purpose: str, role: str | None):
    subnet = _deploy(deploy, ARGS).one(SUBNETWORK, name)
    assert subnet.inputs["purpose"] == purpose
    assert subnet.inputs.get("role") == role
    assert "logConfig" not in subnet.inputs


def test_egress_is_for_nodes_and_pods_only(deploy: Deploy):
    cloud = _deploy(deploy, TWO_REGIONS)
    for region in TWO_REGIONS["subnets"]:
        nat = cloud.one(NAT, f"net-{region}-nat")
        assert nat.inputs["enableDynamicPortAllocation"] is True
        assert nat.inputs["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
        assert nat.inputs["subnetworks"] == [
            {
                "name": cloud.one(SUBNETWORK, f"net-{region}-nodes").outputs["selfLink"],
                "sourceIpRangesToNats": ["PRIMARY_IP_RANGE", "LIST_OF_SECONDARY_IP_RANGES"],
                "secondaryIpRangeNames": ["pods"],
            }
        ]
        assert nat.inputs["logConfig"] == {"enable": True, "filter": "ERRORS_ONLY"}


def test_only_the_load_balancer_gets_in_and_only_to_its_regions_pods(deploy: Deploy):
    cloud = _deploy(deploy, TWO_REGIONS)
    allowing = [rule for rule in cloud.all(FIREWALL) if "allows" in rule.inputs]
    assert [rule.inputs["sourceRanges"] for rule in allowing] == [
        ["10.10.48.0/23", "35.191.0.0/16", "130.211.0.0/22"],
        ["10.20.48.0/23", "35.191.0.0/16", "130.211.0.0/22"],
    ]
    assert [rule.inputs["destinationRanges"] for rule in allowing] == [
        ["10.64.0.0/14"],
        ["10.68.0.0/14"],
    ]
    for rule in allowing:
        assert rule.inputs["allows"] == [
            {"protocol": "tcp", "ports": ["8000", "9002", "9003", "9004", "9005"]}
        ]


def test_backend_ports_can_be_chosen(deploy: Deploy):
    cloud = _deploy(deploy, {**ARGS, "backend_ports": [8080]})
    rule = cloud.one(FIREWALL, ".*-allow-load-balancer")
    assert rule.inputs["allows"] == [{"protocol": "tcp", "ports": ["8080"]}]


def test_everything_else_is_denied_last_and_logged(deploy: Deploy):
    rule = _deploy(deploy, ARGS).one(FIREWALL, "net-deny-ingress")
    assert rule.inputs["denies"] == [{"protocol": "all"}]
    assert rule.inputs["sourceRanges"] == ["0.0.0.0/0"]
    assert rule.inputs["priority"] == 65534
    assert rule.inputs["logConfig"] == {"metadata": "INCLUDE_ALL_METADATA"}


def test_google_apis_resolve_to_the_restricted_addresses(deploy: Deploy):
    cloud = _deploy(deploy, {**ARGS, "restricted_google_apis": True})
    records = {(r.inputs["name"], r.inputs["type"]): r.inputs["rrdatas"] for r in cloud.all(RECORD)}
    addresses = ["199.36.153.4", "199.36.153.5", "199.36.153.6", "199.36.153.7"]
    assert records == {
        ("restricted.googleapis.com.", "A"): addresses,
        ("*.googleapis.com.", "CNAME"): ["restricted.googleapis.com."],
        ("gcr.io.", "A"): addresses,
        ("*.gcr.io.", "CNAME"): ["gcr.io."],
        ("pkg.dev.", "A"): addresses,
        ("*.pkg.dev.", "CNAME"): ["pkg.dev."],
    }
    network = cloud.one(NETWORK)
    for zone in cloud.all(ZONE):
        assert zone.inputs["visibility"] == "private"
        assert zone.inputs["privateVisibilityConfig"] == {"networks": [{"networkUrl": network.id}]}
    route = cloud.one("gcp:compute/route:Route")
    assert route.inputs["destRange"] == "199.36.153.4/30"
    assert route.inputs["nextHopGateway"] == "default-internet-gateway"


def test_google_apis_are_left_alone_by_default(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    assert not cloud.all(ZONE)
    assert not cloud.all("gcp:compute/route:Route")


def test_subnets_wait_for_the_network_alone(deploy: Deploy):
    cloud = _deploy(deploy, TWO_REGIONS)
    network = cloud.one(NETWORK)
    for subnet in cloud.all(SUBNETWORK):
        assert subnet.dependencies == {network.urn}


def test_deletion_protection_covers_the_network_and_its_subnets(deploy: Deploy):
    cloud = _deploy(deploy, {**ARGS, "deletion_protection": True})
    protected = {r.type for r in cloud.resources if r.protect}
    assert protected == {NETWORK, SUBNETWORK}
    assert not any(r.protect for r in _deploy(deploy, ARGS).resources)


def test_outputs_are_by_region(deploy: Deploy):
    def program() -> dict[str, Any]:
        vpc = Vpc("net", TWO_REGIONS)
        return {
            "nodes": vpc.node_subnetwork_ids,
            "proxies": vpc.proxy_only_subnetwork_ids,
            "psc": vpc.psc_nat_subnetwork_ids,
            "name": vpc.network_name,
        }

    value = deploy(program).value
    assert value["name"] == "net"
    for role, key in (("nodes", "nodes"), ("proxy-only", "proxies"), ("psc-nat", "psc")):
        assert value[key] == {
            region: f"projects/acme/regions/{region}/subnetworks/net-{region}-{role}"
            for region in TWO_REGIONS["subnets"]
        }


LINK = "https://www.googleapis.com/compute/v1/"
SHARED = "projects/host/global/networks/shared"
SUBNETS = "projects/host/regions/us-central1/subnetworks"
THERE: VpcArgs = {
    "project": "host",
    "network": SHARED,
    "subnets": {
        "us-central1": {
            **CENTRAL,
            "nodes_subnetwork": f"{SUBNETS}/inference",
            "pods_range": "inference-pods",
            "proxy_only_subnetwork": f"{SUBNETS}/proxies",
            "psc_nat_subnetwork": f"{SUBNETS}/psc",
        }
    },
}


def test_of_what_is_there_only_the_rest_is_made(deploy: Deploy):
    cloud = _deploy(deploy, THERE)
    assert not cloud.all(NETWORK)
    assert not cloud.all(SUBNETWORK)
    nat = cloud.one(NAT)
    assert nat.inputs["subnetworks"][0]["name"] == f"{LINK}{SUBNETS}/inference"
    assert nat.inputs["subnetworks"][0]["secondaryIpRangeNames"] == ["inference-pods"]
    assert cloud.one(FIREWALL).inputs["network"] == SHARED


def test_a_network_of_others_is_never_closed(deploy: Deploy):
    assert not _denying(_deploy(deploy, THERE))
    assert _denying(_deploy(deploy, ARGS))


def _denying(cloud: Cloud) -> list[Recorded]:
    return [rule for rule in cloud.all(FIREWALL) if "denies" in rule.inputs]


def test_a_way_out_and_a_rule_that_are_there_are_not_made(deploy: Deploy):
    region = {**THERE["subnets"]["us-central1"], "nat": False, "load_balancer_rule": False}
    args = cast("VpcArgs", {**THERE, "subnets": {"us-central1": region}})
    assert [each.type for each in _deploy(deploy, args).resources] == ["inference:index:Vpc"]


def test_subnets_are_made_in_an_existing_network(deploy: Deploy):
    cloud = _deploy(deploy, {**ARGS, "network": SHARED})
    assert {subnet.inputs["network"] for subnet in cloud.all(SUBNETWORK)} == {SHARED}


def test_outputs_of_what_is_there(deploy: Deploy):
    def program() -> dict[str, Any]:
        vpc = Vpc("net", THERE)
        return {
            "network": [vpc.network_id, vpc.network_name, vpc.network_self_link],
            "subnets": [
                vpc.node_subnetwork_ids["us-central1"],
                vpc.proxy_only_subnetwork_ids["us-central1"],
                vpc.psc_nat_subnetwork_ids["us-central1"],
            ],
        }

    assert deploy(program).value == {
        "network": [SHARED, "shared", f"{LINK}{SHARED}"],
        "subnets": [f"{SUBNETS}/{name}" for name in ("inference", "proxies", "psc")],
    }


def _problems(args: dict[str, Any], name: str = "net") -> dict[str, str]:
    problems = validate_vpc(name, cast("VpcArgs", {**ARGS, **args}))
    return {p["property_path"]: p["reason"] for p in problems.found}


def test_right_arguments_pass():
    assert _problems({}) == {}


def test_wrong_arguments_are_named():
    assert _problems({"subnets": {}}) == {
        "subnets": "found an empty mapping; allowed: one entry or more; give the ranges of a region"
    }
    assert _problems({"subnets": {"us-central1": {**CENTRAL, "proxy_only": "10.9.0.0/27"}}}) == {
        "subnets.us-central1.proxy_only": "found '10.9.0.0/27'; allowed: a private IPv4 range in "
        "CIDR notation of /26 or larger; choose a larger range, with /26 or less"
    }
    assert _problems({"backend_ports": [0]}) == {
        "backend_ports[0]": "found 0; allowed: a whole number from 1 to 65535; raise it to 1 or "
        "more"
    }


def test_regions_may_not_overlap():
    assert _problems(
        {"subnets": {"us-central1": CENTRAL, "us-east4": {**EAST, "nodes": "10.10.0.0/22"}}}
    ) == {
        "subnets.us-east4.nodes": "found '10.10.0.0/22'; allowed: a range that does not overlap "
        "subnets.us-central1.nodes (10.10.0.0/20); move one of them"
    }


def test_names_made_of_the_components_fit():
    assert list(_problems({}, "n" * 40)) == ["subnets.us-central1"]
    assert list(_problems({}, "Net")) == ["name", "subnets.us-central1"]
