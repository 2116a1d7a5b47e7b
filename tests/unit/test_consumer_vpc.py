"""ConsumerVpc: a private network with a subnet per region and no way in."""

from typing import Any, cast

from components.network.consumer_vpc import ConsumerVpc, ConsumerVpcArgs, validate_consumer_vpc
from tests.unit import examples
from tests.unit.harness import Deploy

NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"

ARGS: ConsumerVpcArgs = examples.arguments("ConsumerVpc")


def test_network_and_subnets(deploy: Deploy):
    cloud = deploy(lambda: ConsumerVpc("apps", ARGS))
    network = cloud.one(NETWORK, "apps-network")
    assert network.inputs["name"] == "apps"
    assert network.inputs["autoCreateSubnetworks"] is False
    assert network.inputs["routingMode"] == "GLOBAL"
    for region, ip_cidr_range in ARGS["subnets"].items():
        subnet = cloud.one(SUBNETWORK, f"apps-{region}")
        assert subnet.inputs["ipCidrRange"] == ip_cidr_range
        assert subnet.inputs["privateIpGoogleAccess"] is True
        assert "logConfig" in subnet.inputs
        assert subnet.dependencies == {network.urn}


def test_ingress_is_denied(deploy: Deploy):
    cloud = deploy(lambda: ConsumerVpc("apps", ARGS))
    rule = cloud.one("gcp:compute/firewall:Firewall")
    assert rule.inputs["denies"] == [{"protocol": "all"}]
    assert "allows" not in rule.inputs


def test_deletion_protection_covers_the_network_and_its_subnets(deploy: Deploy):
    cloud = deploy(lambda: ConsumerVpc("apps", {**ARGS, "deletion_protection": True}))
    assert {r.type for r in cloud.resources if r.protect} == {NETWORK, SUBNETWORK}


def test_outputs(deploy: Deploy):
    def program() -> dict[str, Any]:
        vpc = ConsumerVpc("apps", ARGS)
        return {"id": vpc.network_id, "link": vpc.network_self_link, "subnets": vpc.subnetwork_ids}

    assert deploy(program).value == {
        "id": "projects/acme/global/networks/apps",
        "link": "https://www.googleapis.com/compute/v1/projects/acme/global/networks/apps",
        "subnets": {
            region: f"projects/acme/regions/{region}/subnetworks/apps-{region}"
            for region in ARGS["subnets"]
        },
    }


def _problems(subnets: dict[str, str], name: str = "apps") -> dict[str, str]:
    args = cast("ConsumerVpcArgs", {**ARGS, "subnets": subnets})
    return {p["property_path"]: p["reason"] for p in validate_consumer_vpc(name, args).found}


def test_wrong_arguments_are_named():
    assert _problems({"us-central1": "10.0.0.0/24"}) == {}
    assert _problems({}) == {
        "subnets": "found an empty mapping; allowed: one entry or more; give the range of a region"
    }
    assert _problems({"us-central1": "10.0.0.0/30"}) == {
        "subnets.us-central1": "found '10.0.0.0/30'; allowed: a private IPv4 range in CIDR "
        "notation of /29 or larger; choose a larger range, with /29 or less"
    }
    assert _problems({"us-central1": "10.0.0.0/24", "us-east4": "10.0.0.0/25"}) == {
        "subnets.us-east4": "found '10.0.0.0/25'; allowed: a range that does not overlap "
        "subnets.us-central1 (10.0.0.0/24); move one of them"
    }
    assert list(_problems({"us-central1": "10.0.0.0/24"}, "Apps")) == [
        "name",
        "subnets.us-central1",
    ]


def test_proxies_of_cross_region_load_balancers_have_ranges_of_their_own(deploy: Deploy):
    ranges = {"us-central1": "10.200.2.0/26"}
    cloud = deploy(lambda: ConsumerVpc("apps", {**ARGS, "proxy_only": ranges}))
    subnet = cloud.one(SUBNETWORK, "apps-us-central1-proxy-only").inputs
    assert (subnet["purpose"], subnet["role"]) == ("GLOBAL_MANAGED_PROXY", "ACTIVE")
    assert subnet["ipCidrRange"] == "10.200.2.0/26"


def test_proxies_need_room_and_other_addresses():
    args: ConsumerVpcArgs = {
        **ARGS,
        "proxy_only": {"us-central1": "10.200.0.0/26", "us-east4": "10.200.2.0/27"},
    }
    assert {p["property_path"]: p["reason"] for p in validate_consumer_vpc("apps", args).found} == {
        "proxy_only.us-central1": (
            "found '10.200.0.0/26'; allowed: a range that does not overlap subnets.us-central1 "
            "(10.200.0.0/24); move one of them"
        ),
        "proxy_only.us-east4": (
            "found '10.200.2.0/27'; allowed: a private IPv4 range in CIDR notation of /26 or "
            "larger; choose a larger range, with /26 or less"
        ),
    }
