"""What is there already is read from the cloud, and refused where it doesn't fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from catalog.conventions import COMPUTE_CLASS_LABEL
from config.load import from_file
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit.harness import Deploy

PLATFORM = from_file(ROOT / "Pulumi.estate.yaml")
REGION = PLATFORM.regions["us-central1"]
MAKES_ITS_CLUSTER = PLATFORM.model_copy(
    update={
        "regions": {
            "us-central1": REGION.model_copy(
                update={"existing": REGION.existing.model_copy(update={"cluster": None})}
            )
        }
    }
)
POOL = "gcp:container/nodePool:NodePool"
SUBNET = "gcp:compute/getSubnetwork:getSubnetwork"
SUBNETS = "gcp:compute/getSubnetworks:getSubnetworks"
NAT = "gcp:compute/getRouterNat:getRouterNat"
HOST = "https://www.googleapis.com/compute/v1/projects/acme-network/global/networks"
RANGES = [
    {"rangeName": "inference-pods", "ipCidrRange": "10.136.0.0/14"},
    {"rangeName": "inference-services", "ipCidrRange": "10.30.32.0/20"},
]
GATEWAY = {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}


def said(deploy: Deploy, answers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what is refused where data sources answer so, without what all have in common."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(lambda: build_platform(PLATFORM), answers=answers)
    lines = str(error.value).splitlines()
    return [line.removeprefix("Pulumi.test.yaml: regions.us-central1.") for line in lines]


def test_what_the_cloud_does_not_tell_passes(deploy: Deploy):
    cloud = deploy(lambda: build_platform(MAKES_ITS_CLUSTER))
    assert cloud.one("gcp:container/cluster:Cluster").inputs["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "inference-pods",
        "servicesSecondaryRangeName": "inference-services",
    }


def test_gpu_pools_are_of_a_class_in_the_order_of_the_list(deploy: Deploy):
    cloud = deploy(lambda: build_platform(PLATFORM))
    (name, pools), *others = PLATFORM.compute_classes_in("us-central1").items()
    assert not others
    label = {COMPUTE_CLASS_LABEL: f"{name}-us-central1"}
    made = cloud.one("kubernetes:cloud.google.com/v1:ComputeClass")
    assert made.inputs["metadata"]["name"] == label[COMPUTE_CLASS_LABEL]
    assert made.inputs["spec"]["priorities"] == [
        {"nodepools": [f"{each}-us-central1"]} for each in pools
    ]
    for each in pools:
        config = cloud.one(POOL, f"{each}-us-central1-pool").inputs["nodeConfig"]
        assert config["labels"] == label
        assert [taint["key"] for taint in config["taints"]] == [COMPUTE_CLASS_LABEL]
    server = cloud.one(
        "kubernetes:apps/v1:Deployment", "qwen3-4b-l4-reserved-us-central1-deployment"
    )
    pod = server.inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == label
    assert [(each["key"], each["value"]) for each in pod["tolerations"]] == [*label.items()]


def test_every_cluster_waits_for_the_grants_on_its_subnet(deploy: Deploy):
    cloud = deploy(lambda: build_platform(MAKES_ITS_CLUSTER))
    cluster = cloud.one("gcp:container/cluster:Cluster")
    grants = cloud.all("gcp:compute/subnetworkIAMMember:SubnetworkIAMMember")
    assert len(grants) == len(("gke", "google", "run"))
    assert all(cloud.requires(cluster, grant) for grant in grants)


def test_a_subnet_without_the_named_range(deploy: Deploy):
    (line,) = said(
        deploy, {SUBNET: {"secondaryIpRanges": [RANGES[1], RANGES[0] | {"rangeName": "x"}]}}
    )
    assert line == (
        "existing.pods_range: found 'inference-pods', which the subnet inference doesn't have; "
        "allowed: one of its secondary ranges: inference-services, x; name one of them, or add it "
        "to the subnet"
    )


def test_a_range_that_is_another_one(deploy: Deploy):
    pods = {**RANGES[0], "ipCidrRange": "10.140.0.0/14"}
    (line,) = said(deploy, {SUBNET: {"secondaryIpRanges": [pods, RANGES[1]]}})
    assert line == (
        "pods: found '10.136.0.0/14'; allowed: 10.140.0.0/14, which inference-pods has; write "
        "10.140.0.0/14"
    )


def test_a_subnet_of_another_network(deploy: Deploy):
    found = said(deploy, {SUBNET: {"network": f"{HOST}/other", "secondaryIpRanges": RANGES}})
    assert found[0] == (
        "existing.subnetwork: found 'inference', a subnet of "
        "projects/acme-network/global/networks/other; allowed: a subnet of "
        "projects/acme-network/global/networks/shared; name another, or change network.existing"
    )


def test_a_subnet_from_which_nodes_cannot_reach_google(deploy: Deploy):
    (found,) = said(deploy, {SUBNET: {"privateIpGoogleAccess": False, "secondaryIpRanges": RANGES}})
    assert found.startswith("existing.subnetwork: found 'inference' without Private Google Access;")
    assert "--enable-private-ip-google-access" in found


def test_a_gateway_that_serves_other_subnets(deploy: Deploy):
    subnets = [{"name": f"{HOST}/subnetworks/web"}]
    (line,) = said(deploy, {NAT: {**GATEWAY, "subnetworks": subnets}})
    assert line == (
        "existing.nat: found 'egress', which serves web (LIST_OF_SUBNETWORKS); allowed: a gateway "
        "that serves the nodes and pods of inference; add the subnet to it, or leave it out to "
        "have a gateway made"
    )


def test_a_range_to_be_made_that_a_subnet_of_the_network_has(deploy: Deploy):
    web = {"name": "web", "network": f"{HOST}/shared", "ipCidrRange": "10.30.50.0/28"}
    (line,) = said(deploy, {SUBNETS: {"subnetworks": [web]}})
    assert line == (
        "psc_nat: found '10.30.50.0/24'; allowed: a range that does not overlap the network's "
        "subnet web (10.30.50.0/28); move it, or name that subnet in existing"
    )
