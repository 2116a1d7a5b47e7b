"""SharedVpcAccess makes what its page says, and refuses what could not be made."""

import pulumi
import pytest

from components.network.shared_vpc_access import SharedVpcAccess, SharedVpcAccessArgs
from tests.unit import examples
from tests.unit.harness import Deploy

ARGS: SharedVpcAccessArgs = examples.arguments("SharedVpcAccess")
GKE = "serviceAccount:service-123456789012@container-engine-robot.iam.gserviceaccount.com"
GOOGLE = "serviceAccount:123456789012@cloudservices.gserviceaccount.com"


def test_each_user_uses_the_named_subnet_and_no_other(deploy: Deploy):
    cloud = deploy(lambda: SharedVpcAccess("it", ARGS))
    grants = cloud.all("gcp:compute/subnetworkIAMMember:SubnetworkIAMMember")
    assert {each.inputs["member"] for each in grants} == {GKE, GOOGLE}
    for grant in grants:
        assert grant.inputs["subnetwork"].endswith("/regions/us-central1/subnetworks/inference")
        assert grant.inputs["project"] == "acme-network"
        assert grant.inputs["role"] == "roles/compute.networkUser"


def test_on_the_host_project_gkes_agent_has_its_one_role(deploy: Deploy):
    cloud = deploy(lambda: SharedVpcAccess("it", ARGS))
    grant = cloud.one("gcp:projects/iAMMember:IAMMember")
    assert grant.inputs["member"] == GKE
    assert grant.inputs["role"] == "roles/container.hostServiceAgentUser"


def test_without_clusters_nobody_has_a_role_on_the_host_project(deploy: Deploy):
    args: SharedVpcAccessArgs = {
        "project": ARGS["project"],
        "subnetworks": ARGS["subnetworks"],
    }
    cloud = deploy(lambda: SharedVpcAccess("it", args))
    assert not cloud.all("gcp:projects/iAMMember:IAMMember")


def test_what_takes_a_subnet_waits_for_the_grants(deploy: Deploy):
    def program() -> None:
        access = SharedVpcAccess("it", ARGS)
        pulumi.CustomResource("test:a:B", "user", {"subnet": access.subnetwork_ids["us-central1"]})

    cloud = deploy(program)
    user = cloud.one("test:a:B")
    for grant in cloud.resources:
        if grant.name.startswith("it-"):
            assert cloud.requires(user, grant), grant.name


def test_wrong_arguments_are_named(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match="subnetworks"):
        deploy(lambda: SharedVpcAccess("it", {**ARGS, "subnetworks": {}}))
