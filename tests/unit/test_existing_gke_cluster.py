"""ExistingGkeCluster: nodes of one's own in a cluster of others, and pods on them."""

from __future__ import annotations

import json

import pulumi
import pytest

from catalog.conventions import NODE_POOL_LABEL
from components.cluster.existing_gke_cluster import ExistingGkeCluster, ExistingGkeClusterArgs
from components.cluster.gke_cluster import GkeCluster
from config.load import from_file
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
ARGS: ExistingGkeClusterArgs = examples.arguments("ExistingGkeCluster")


def _deploy(deploy: Deploy) -> Cloud:
    return deploy(lambda: ExistingGkeCluster("platform", ARGS))


def test_the_cluster_itself_is_left_alone(deploy: Deploy):
    assert not _deploy(deploy).all(CLUSTER)


def test_its_nodes_are_those_of_a_cluster_that_is_made(deploy: Deploy):
    made = deploy(lambda: GkeCluster("platform", examples.arguments("GkeCluster")))
    theirs, ours = made.one(NODE_POOL).inputs, _deploy(deploy).one(NODE_POOL).inputs
    assert {key for key in ours if ours[key] != theirs[key]} == {"name", "cluster"}
    assert (ours["name"], ours["cluster"]) == ("platform-system", "shared")


def test_the_account_of_the_nodes_has_its_rights_before_they_are_made(deploy: Deploy):
    cloud = _deploy(deploy)
    pool = cloud.one(NODE_POOL)
    grants = [each for each in cloud.resources if each.type.lower().endswith("iammember")]
    assert len(grants) == 1 + len(ARGS["image_repositories"])
    assert all(cloud.requires(pool, each) for each in grants)


def test_the_kubeconfig_names_the_endpoint_and_waits_for_the_nodes(deploy: Deploy):
    (component,) = _deploy(deploy).outputs.values()
    config = json.loads(component["kubeconfig"])
    assert config["clusters"][0]["cluster"] == {"server": f"https://{ARGS['dns_endpoint']}"}


@pytest.mark.parametrize(
    ("name", "region"), [("a" * 34, "us-central1"), ("platform", "us-central1-a")]
)
def test_what_it_refuses(name: str, region: str, deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError):
        deploy(lambda: ExistingGkeCluster(name, {**ARGS, "region": region}))


def test_what_is_in_the_cluster_waits_for_the_nodes(deploy: Deploy):
    cloud = deploy(lambda: build_platform(from_file(ROOT / "Pulumi.estate.yaml")))
    (provider,) = cloud.all("pulumi:providers:kubernetes")
    system = cloud.one(NODE_POOL, "inference-us-central1-system")
    assert provider.property_dependencies["kubeconfig"] == {system.urn}


def test_every_pod_is_on_nodes_of_the_stack(deploy: Deploy):
    cloud = deploy(lambda: build_platform(from_file(ROOT / "Pulumi.estate.yaml")))
    own = {NODE_POOL_LABEL: "inference-us-central1-system"}
    (system,) = cloud.all(NODE_POOL, "inference-us-central1-system")
    assert {NODE_POOL_LABEL: system.inputs["name"]} == own
    deployments = cloud.all(DEPLOYMENT)
    assert deployments
    for each in deployments:
        selector = each.inputs["spec"]["template"]["spec"]["nodeSelector"]
        assert (selector == own) is not each.name.startswith("qwen")
    release = cloud.one("kubernetes:helm.sh/v3:Release")
    assert release.inputs["values"]["nodeSelector"] == own


def test_nothing_is_granted_that_would_be_taken_from_the_cluster(deploy: Deploy):
    cloud = deploy(lambda: build_platform(from_file(ROOT / "Pulumi.estate.yaml")))
    (grant,) = cloud.all("gcp:compute/subnetworkIAMMember:SubnetworkIAMMember")
    assert grant.name == "inference-us-central1-run"
    assert not cloud.all("gcp:projects/iAMMember:IAMMember", "inference-cluster-agent")
