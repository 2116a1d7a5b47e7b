"""GkeCluster: private, reached by name through IAM, its nodes with next to no rights."""

import json
from typing import Any, cast

import pulumi
import pytest

from components.cluster.gke_cluster import GkeCluster
from components.cluster.gke_cluster_arguments import (
    GkeClusterArgs,
    MaintenanceWindow,
    SystemPool,
    validate_gke_cluster,
)
from tests.unit import examples
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Cloud, Deploy

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
ACCOUNT = "gcp:serviceaccount/account:Account"
PROJECT_GRANT = "gcp:projects/iAMMember:IAMMember"
REPOSITORY_GRANT = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"

REPOSITORY = f"projects/{PROJECT_ID}/locations/us-central1/repositories/models"
MEMBER = f"serviceAccount:platform-nodes@{PROJECT_ID}.iam.gserviceaccount.com"

ARGS: GkeClusterArgs = examples.arguments("GkeCluster")


def _deploy(deploy: Deploy, args: GkeClusterArgs = ARGS) -> Cloud:
    return deploy(lambda: GkeCluster("platform", args))


def _reasons(name: str, args: GkeClusterArgs) -> dict[str, str]:
    found = validate_gke_cluster(name, args).found
    return {problem["property_path"]: problem["reason"] for problem in found}


def test_nodes_have_private_addresses_only(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(CLUSTER).inputs["privateClusterConfig"] == {"enablePrivateNodes": True}
    assert cloud.one(NODE_POOL).inputs["networkConfig"] == {"enablePrivateNodes": True}


def test_control_plane_has_a_name_that_iam_guards_and_no_address(deploy: Deploy):
    endpoints = _deploy(deploy).one(CLUSTER).inputs["controlPlaneEndpointsConfig"]
    assert endpoints == {
        "dnsEndpointConfig": {"allowExternalTraffic": True},
        "ipEndpointsConfig": {"enabled": False},
    }


def test_pods_and_services_take_the_given_ranges(deploy: Deploy):
    inputs = _deploy(deploy).one(CLUSTER).inputs
    assert inputs["networkingMode"] == "VPC_NATIVE"
    assert inputs["ipAllocationPolicy"] == {
        "clusterSecondaryRangeName": "pods",
        "servicesSecondaryRangeName": "services",
    }
    assert (inputs["network"], inputs["subnetwork"]) == (ARGS["network"], ARGS["subnetwork"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("location",), "us-central1"),
        (("name",), "platform"),
        (("datapathProvider",), "ADVANCED_DATAPATH"),
        (("workloadIdentityConfig", "workloadPool"), f"{PROJECT_ID}.svc.id.goog"),
        (("gatewayApiConfig", "channel"), "CHANNEL_STANDARD"),
        (("addonsConfig", "httpLoadBalancing", "disabled"), False),
        (("monitoringConfig", "managedPrometheus", "enabled"), True),
        (("monitoringConfig", "managedPrometheus", "autoMonitoringConfig", "scope"), "NONE"),
        (("secretManagerConfig", "enabled"), True),
        (("dnsConfig", "clusterDns"), "CLOUD_DNS"),
        (("enableShieldedNodes",), True),
        (("anonymousAuthenticationConfig", "mode"), "LIMITED"),
        (("rbacBindingConfig", "enableInsecureBindingSystemAuthenticated"), False),
        (("rbacBindingConfig", "enableInsecureBindingSystemUnauthenticated"), False),
        (("securityPostureConfig", "mode"), "BASIC"),
        (("costManagementConfig", "enabled"), True),
        (("binaryAuthorization", "evaluationMode"), "DISABLED"),
        (("releaseChannel", "channel"), "REGULAR"),
        (("nodePoolDefaults", "nodeConfigDefaults", "gcfsConfig", "enabled"), True),
        (("clusterAutoscaling", "enabled"), False),
    ],
)
def test_cluster_has_what_the_platform_relies_on(
    deploy: Deploy, path: tuple[str, ...], expected: object
):
    found: Any = _deploy(deploy).one(CLUSTER).inputs
    for key in path:
        found = found[key]
    assert found == expected


def test_logs_and_metrics_cover_control_plane_gpus_and_workloads(deploy: Deploy):
    inputs = _deploy(deploy).one(CLUSTER).inputs
    assert {"SYSTEM_COMPONENTS", "WORKLOADS", "APISERVER"} <= set(
        inputs["loggingConfig"]["enableComponents"]
    )
    assert {"SYSTEM_COMPONENTS", "APISERVER", "DCGM", "POD"} <= set(
        inputs["monitoringConfig"]["enableComponents"]
    )


def test_version_is_on_offer_for_long_and_serves_inference_pools(deploy: Deploy):
    version = _deploy(deploy).one(CLUSTER).inputs["minMasterVersion"]
    major, minor = version.split(".")
    assert (int(major), int(minor)) >= (1, 34)


def test_version_channel_window_and_binary_authorization_are_the_users(deploy: Deploy):
    window: MaintenanceWindow = {
        "start_time": "2026-02-01T00:00:00Z",
        "end_time": "2026-02-01T04:00:00Z",
        "recurrence": "FREQ=DAILY",
    }
    args: GkeClusterArgs = {
        **ARGS,
        "release_channel": "STABLE",
        "minimum_version": "1.35",
        "maintenance_window": window,
        "binary_authorization": True,
    }
    inputs = _deploy(deploy, args).one(CLUSTER).inputs
    assert inputs["releaseChannel"] == {"channel": "STABLE"}
    assert inputs["minMasterVersion"] == "1.35"
    assert inputs["maintenancePolicy"]["recurringWindow"] == {
        "startTime": "2026-02-01T00:00:00Z",
        "endTime": "2026-02-01T04:00:00Z",
        "recurrence": "FREQ=DAILY",
    }
    assert inputs["binaryAuthorization"]["evaluationMode"] == "PROJECT_SINGLETON_POLICY_ENFORCE"


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_is_told_to_engine_and_cloud(deploy: Deploy, protected: bool):
    cluster = _deploy(deploy, {**ARGS, "deletion_protection": protected}).one(CLUSTER)
    assert cluster.protect is protected
    assert cluster.inputs["deletionProtection"] is protected


def test_cluster_is_protected_unless_said_otherwise(deploy: Deploy):
    assert _deploy(deploy).one(CLUSTER).protect


def test_default_pool_goes_and_never_replaces_the_cluster(deploy: Deploy):
    cluster = _deploy(deploy).one(CLUSTER)
    assert cluster.inputs["removeDefaultNodePool"] is True
    assert cluster.inputs["initialNodeCount"] == 1
    assert set(cluster.ignore_changes) == {"nodeConfig", "initialNodeCount"}


def test_no_node_runs_as_the_default_service_account(deploy: Deploy):
    cloud = _deploy(deploy)
    email = cloud.one(ACCOUNT).outputs["email"]
    assert cloud.one(CLUSTER).inputs["nodeConfig"]["serviceAccount"] == email
    assert cloud.one(NODE_POOL).inputs["nodeConfig"]["serviceAccount"] == email


def test_nodes_may_log_and_pull_from_named_repositories_and_nothing_else(deploy: Deploy):
    cloud = _deploy(deploy)
    grants = [r for r in cloud.resources if r.type.lower().endswith("iammember")]
    assert {(g.type, g.inputs["role"], g.inputs["member"]) for g in grants} == {
        (PROJECT_GRANT, "roles/container.defaultNodeServiceAccount", MEMBER),
        (REPOSITORY_GRANT, "roles/artifactregistry.reader", MEMBER),
    }
    assert cloud.one(REPOSITORY_GRANT).inputs["repository"] == REPOSITORY


def test_nodes_start_only_once_they_have_their_rights(deploy: Deploy):
    cloud = _deploy(deploy)
    for type_ in (PROJECT_GRANT, REPOSITORY_GRANT):
        assert cloud.requires(cloud.one(CLUSTER), cloud.one(type_))
        assert cloud.requires(cloud.one(NODE_POOL), cloud.one(type_))


def test_long_names_make_service_account_ids_that_are_allowed_and_distinct(deploy: Deploy):
    def ids(name: str) -> str:
        return deploy(lambda: GkeCluster(name, ARGS)).one(ACCOUNT).inputs["accountId"]

    one, other = ids("platform-northamerica-northeast1"), ids("platform-northamerica-northeast2")
    assert one != other
    assert all(len(found) <= 30 and found.endswith("-nodes") for found in (one, other))


def test_system_pool_scales_within_its_limits(deploy: Deploy):
    system_pool: SystemPool = {
        "machine_type": "n2-standard-8",
        "min_nodes": 2,
        "max_nodes": 4,
        "disk_gib": 80,
    }
    pool = _deploy(deploy, {**ARGS, "system_pool": system_pool}).one(NODE_POOL)
    assert pool.inputs["autoscaling"] == {
        "totalMinNodeCount": 2,
        "totalMaxNodeCount": 4,
        "locationPolicy": "BALANCED",
    }
    config = pool.inputs["nodeConfig"]
    assert (config["machineType"], config["diskSizeGb"]) == ("n2-standard-8", 80)


def test_system_nodes_are_shielded_and_hide_node_credentials_from_pods(deploy: Deploy):
    pool = _deploy(deploy).one(NODE_POOL)
    config = pool.inputs["nodeConfig"]
    assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert config["shieldedInstanceConfig"] == {
        "enableIntegrityMonitoring": True,
        "enableSecureBoot": True,
    }
    assert pool.inputs["management"] == {"autoRepair": True, "autoUpgrade": True}


def test_autoscaling_never_replaces_the_system_pool(deploy: Deploy):
    pool = _deploy(deploy).one(NODE_POOL)
    assert pool.ignore_changes == ("initialNodeCount",)
    assert pool.delete_before_replace


def test_kubeconfig_waits_for_nodes_and_the_names_do_not(deploy: Deploy):
    def program() -> Any:
        cluster = GkeCluster("platform", ARGS)

        async def waited_for(output: pulumi.Output[str]) -> set[str]:
            return {type(resource).__name__ for resource in await output.resources()}

        return {
            name: waited_for(getattr(cluster, name))
            for name in ("kubeconfig", "cluster_name", "node_service_account")
        }

    waited = deploy(program).value
    assert "NodePool" in waited["kubeconfig"]
    assert "NodePool" not in waited["cluster_name"]
    assert {"IAMMember", "RepositoryIamMember"} <= waited["node_service_account"]


def test_kubeconfig_names_the_dns_endpoint_and_holds_no_secret(deploy: Deploy):
    def program() -> pulumi.Output[str]:
        return GkeCluster("platform", ARGS).kubeconfig

    endpoints = {"dnsEndpointConfig": {"endpoint": "gke-1a2b3c.us-central1.gke.goog"}}
    answers = {CLUSTER: {"controlPlaneEndpointsConfig": endpoints}}
    config = json.loads(deploy(program, answers=answers).value)
    (context,) = config["contexts"]
    assert config["current-context"] == context["name"]
    (cluster,) = config["clusters"]
    assert cluster == {
        "name": context["context"]["cluster"],
        "cluster": {"server": "https://gke-1a2b3c.us-central1.gke.goog"},
    }
    (user,) = config["users"]
    assert user["name"] == context["context"]["user"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert "args" not in user["user"]["exec"]


def test_outputs_say_where_and_what_the_cluster_is(deploy: Deploy):
    cloud = _deploy(deploy)
    outputs = cloud.outputs[cloud.one("inference:index:GkeCluster").urn]
    assert outputs["cluster_name"] == "platform"
    assert outputs["location"] == "us-central1"
    assert outputs["workload_pool"] == f"{PROJECT_ID}.svc.id.goog"
    assert outputs["cluster_id"].endswith("/clusters/platform")
    assert outputs["node_service_account"] == MEMBER.removeprefix("serviceAccount:")


def test_arguments_of_the_documentation_are_valid():
    assert _reasons("platform", ARGS) == {}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"region": "us-central1-a"}, "region", "allowed: a region such as us-central1"),
        (
            {"release_channel": "FAST"},
            "release_channel",
            "allowed: RAPID, REGULAR, STABLE, EXTENDED",
        ),
        (
            {"system_pool": {"machine_type": "g2-standard-8"}},
            "system_pool.machine_type",
            "allowed: c3-standard-4",
        ),
        ({"system_pool": {"min_nodes": 0}}, "system_pool.min_nodes", "from 1 to 1000 nodes"),
        ({"system_pool": {"max_nodes": 2}}, "system_pool.max_nodes", "from 3 to 1000 nodes"),
        (
            {"system_pool": {"min_nodes": 6, "max_nodes": 5}},
            "system_pool.min_nodes",
            "allowed: at most max_nodes, 5",
        ),
        (
            {"minimum_version": "latest"},
            "minimum_version",
            "allowed: a version of GKE",
        ),
        ({"system_pool": {"disk_gib": 10}}, "system_pool.disk_gib", "from 50 to 65536 GiB"),
        (
            {
                "maintenance_window": {
                    "start_time": "2 o'clock",
                    "end_time": "2026-01-03T08:00:00Z",
                    "recurrence": "FREQ=DAILY",
                }
            },
            "maintenance_window.start_time",
            "allowed: a UTC time",
        ),
        (
            {
                "maintenance_window": {
                    "start_time": "2026-01-03T08:00:00Z",
                    "end_time": "2026-01-03T02:00:00Z",
                    "recurrence": "FREQ=DAILY",
                }
            },
            "maintenance_window.end_time",
            "allowed: after start_time",
        ),
        (
            {
                "maintenance_window": {
                    "start_time": "2026-01-03T02:00:00Z",
                    "end_time": "2026-01-03T08:00:00Z",
                    "recurrence": "daily",
                }
            },
            "maintenance_window.recurrence",
            "allowed: an RFC 5545 rule",
        ),
    ],
)
def test_wrong_arguments_are_named_with_what_is_allowed(change: Any, path: str, said: str):
    reasons = _reasons("platform", cast("GkeClusterArgs", {**ARGS, **change}))
    assert list(reasons) == [path]
    assert said in reasons[path]


@pytest.mark.parametrize("name", ["Platform", "p" * 41])
def test_wrong_names_are_refused(name: str):
    assert list(_reasons(name, ARGS)) == ["name"]


def test_all_mistakes_are_reported_at_once_and_nothing_is_made(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        _deploy(deploy, {**ARGS, "region": "nowhere", "release_channel": "FAST"})
    assert "GkeCluster platform:" in str(raised.value)
    assert "region: found 'nowhere'" in str(raised.value)
    assert "release_channel: found 'FAST'" in str(raised.value)
