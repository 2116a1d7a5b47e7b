"""Replicas that span nodes: who answers, what each pod is told, and the network between them."""

from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from components.cluster.gpu_node_pool import GpuNodePool
from components.cluster.gpu_node_pool_arguments import GpuNodePoolArgs, validate_gpu_node_pool
from components.inference.leader_worker_sets import LeaderWorkerSets
from components.inference.model_server import ModelServer
from components.inference.model_server_arguments import ModelServerArgs, validate_model_server
from policies.rules.scale_limits.scale_resources_set import RULE as SIZED
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATED_SERVER

GROUPS = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
MONITORING = "kubernetes:monitoring.googleapis.com/v1:PodMonitoring"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
CLAIM = "kubernetes:resource.k8s.io/v1:ResourceClaimTemplate"
DEFINITION = (
    Path(__file__).parents[2] / "sandbox/crds/leaderworkersets.leaderworkerset.x-k8s.io.yaml"
)
SPANNING: ModelServerArgs = {
    **GATED_SERVER,
    "gpus": 8,
    "nodes": 2,
    "leader_worker_set_api": "leaderworkerset.x-k8s.io/v1",
    "rdma": True,
}


def template(cloud: Cloud, role: str) -> dict[str, Any]:
    return cloud.one(GROUPS).inputs["spec"]["leaderWorkerTemplate"][f"{role}Template"]


def container(cloud: Cloud, role: str) -> dict[str, Any]:
    (only,) = template(cloud, role)["spec"]["containers"]
    return only


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: ModelServer("server", SPANNING))


def test_a_replica_is_a_group_of_as_many_pods_as_nodes(cloud: Cloud):
    spec = cloud.one(GROUPS).inputs["spec"]
    assert spec["replicas"] == 2
    assert spec["leaderWorkerTemplate"]["size"] == 2
    assert not cloud.all("kubernetes:apps/v1:Deployment")


def test_a_replica_on_a_slice_of_tpus_works_with_ray(deploy: Deploy):
    args: ModelServerArgs = {
        **SPANNING,
        "gpus": 4,
        "nodes": 4,
        "rdma": False,
        "tpu": True,
        "team": "search",
        "memory_gib_per_gpu": 40,
    }
    cloud = deploy(lambda: ModelServer("server", args))
    leader, worker = (container(cloud, role) for role in ("leader", "worker"))
    assert "--tensor-parallel-size=16" in leader["args"]
    assert "--distributed-executor-backend=ray" in leader["args"]
    assert not [each for each in leader["args"] if each.startswith("--pipeline")]
    assert "ray start --head" in leader["command"][2]
    assert worker["args"] == []
    assert "ray health-check" in worker["command"][2]
    for role in ("leader", "worker"):
        assert template(cloud, role)["metadata"]["labels"]["team"] == "search"
    for each in (leader, worker):
        assert each["resources"]["limits"]["google.com/tpu"] == "4"
        assert each["resources"]["limits"]["memory"] == "160Gi"
        assert "nvidia.com/gpu" not in each["resources"]["limits"]
        assert {"name": "TPU_MULTIHOST_BACKEND", "value": "ray"} in each["env"]
    assert (
        cloud.one(GROUPS).inputs["metadata"]["annotations"][
            "leaderworkerset.sigs.k8s.io/exclusive-topology"
        ]
        == "cloud.google.com/gke-nodepool"
    )


def test_a_group_starts_again_as_a_whole(cloud: Cloud):
    group = cloud.one(GROUPS).inputs["spec"]["leaderWorkerTemplate"]
    assert group["restartPolicy"] == "RecreateGroupOnPodRestart"


def test_groups_roll_one_at_a_time_without_spare_nodes(cloud: Cloud):
    rollout = cloud.one(GROUPS).inputs["spec"]["rolloutStrategy"]
    assert rollout["rollingUpdateConfiguration"] == {"maxUnavailable": 1, "maxSurge": 0}


def test_leader_and_workers_find_each_other_and_only_the_leader_serves(cloud: Cloud):
    leader, worker = container(cloud, "leader"), container(cloud, "worker")
    for each in (leader, worker):
        assert each["command"] == ["vllm", "serve"]
        assert each["args"][0] == "meta-llama/Llama-3.1-8B-Instruct"
        assert {"--pipeline-parallel-size=2", "--tensor-parallel-size=8", "--nnodes=2"} <= set(
            each["args"]
        )
        assert "--master-addr=$(LWS_LEADER_ADDRESS)" in each["args"]
    assert "--node-rank=0" in leader["args"]
    assert "--headless" not in leader["args"]
    assert "--node-rank=$(LWS_WORKER_INDEX)" in worker["args"]
    assert "--headless" in worker["args"]
    assert "readinessProbe" in leader
    assert not {"readinessProbe", "livenessProbe", "startupProbe", "ports"} & worker.keys()


def test_adapters_come_after_every_flag(cloud: Cloud):
    arguments = container(cloud, "leader")["args"]
    after = arguments[arguments.index("--lora-modules") + 1 :]
    assert len(after) == 2
    assert all(each.startswith("{") for each in after)


def test_the_pool_and_the_scraping_select_leaders_only(deploy: Deploy):
    cloud = deploy(lambda: ModelServer("server", SPANNING).pod_labels)
    leader = template(cloud, "leader")["metadata"]["labels"]
    worker = template(cloud, "worker")["metadata"]["labels"]
    assert cloud.value.items() <= leader.items()
    assert not cloud.value.items() <= worker.items()
    selector = cloud.one(MONITORING).inputs["spec"]["selector"]["matchLabels"]
    assert selector == cloud.value
    kept = cloud.one(BUDGET).inputs["spec"]["selector"]["matchLabels"]
    assert kept.items() <= leader.items()
    assert kept.items() <= worker.items()


def test_every_pod_claims_its_nodes_rdma_interfaces(cloud: Cloud):
    claim = cloud.one(CLAIM)
    (request,) = claim.inputs["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {"deviceClassName": "mrdma.google.com", "allocationMode": "All"}
    for role in ("leader", "worker"):
        assert template(cloud, role)["spec"]["resourceClaims"] == [
            {"name": "rdma", "resourceClaimTemplateName": claim.inputs["metadata"]["name"]}
        ]
        assert container(cloud, role)["resources"]["claims"] == [{"name": "rdma"}]
        assert container(cloud, role)["resources"]["limits"]["nvidia.com/gpu"] == "8"


def test_without_rdma_nothing_is_claimed(deploy: Deploy):
    args = cast("ModelServerArgs", {**SPANNING, "rdma": False})
    cloud = deploy(lambda: ModelServer("server", args))
    assert not cloud.all(CLAIM)
    assert "resourceClaims" not in template(cloud, "worker")["spec"]


def test_the_object_fits_its_definition_and_the_policy_sees_its_containers(cloud: Cloud):
    schema = yaml.safe_load(DEFINITION.read_text())["spec"]["versions"][0]["schema"]
    jsonschema.validate(dict(cloud.one(GROUPS).inputs), schema["openAPIV3Schema"])
    assert SIZED.applies(GROUPS)
    text = str(cloud.one(GROUPS).inputs)
    assert "_" not in "".join(key for key in template(cloud, "leader")["spec"])
    assert "secretProviderClass" in text


def test_the_controller_comes_from_the_mirror(deploy: Deploy):
    image = "us-central1-docker.pkg.dev/acme/kubernetes/lws/lws:v0.8.0"
    cloud = deploy(lambda: LeaderWorkerSets("groups", {"image": image}).api_version)
    manager = cloud.one("kubernetes:helm.sh/v3:Release").inputs["values"]["image"]["manager"]
    assert (manager["repository"], manager["tag"]) == (image[: -len(":v0.8.0")], "v0.8.0")
    assert cloud.value == "leaderworkerset.x-k8s.io/v1"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"max_replicas": 3}, "max_replicas"),
        ({"nodes": 9}, "nodes"),
        ({"nodes": 1}, "rdma"),
    ],
)
def test_what_does_not_go_together_is_named(changes: dict[str, int], path: str):
    args: Any = {**SPANNING, **changes}
    assert [each["property_path"] for each in validate_model_server("server", args).found] == [path]


def test_a_guardrail_in_front_of_several_nodes_is_refused():
    args: Any = {**SPANNING, "replica_guardrail": {"image": "guard:1", "port": 8080}}
    assert [each["property_path"] for each in validate_model_server("server", args).found] == [
        "replica_guardrail"
    ]


def test_groups_without_their_controller_are_refused():
    args: Any = {key: value for key, value in SPANNING.items() if key != "leader_worker_set_api"}
    (problem,) = validate_model_server("server", args).found
    assert problem["property_path"] == "leader_worker_set_api"


RDMA_POOL: GpuNodePoolArgs = {
    "project": "acme",
    "region": "us-central1",
    "cluster": "inference",
    "machine_type": "a3-ultragpu-8g",
    "capacity": "spot",
    "min_nodes": 0,
    "max_nodes": 2,
    "node_service_account": "nodes@acme.iam.gserviceaccount.com",
    "rdma": True,
}


def test_gke_sets_up_the_rdma_network_of_a_pool_that_asks_for_it(deploy: Deploy):
    pool = deploy(lambda: GpuNodePool("h200", RDMA_POOL)).one("gcp:container/nodePool:NodePool")
    assert pool.inputs["networkConfig"]["acceleratorNetworkProfile"] == "auto"
    assert pool.inputs["nodeConfig"]["labels"] == {
        "cloud.google.com/gke-networking-dra-driver": "true"
    }


def test_a_machine_without_rdma_is_refused():
    args = cast("GpuNodePoolArgs", {**RDMA_POOL, "machine_type": "g2-standard-24"})
    found = validate_gpu_node_pool("l4", args).found
    assert [each["property_path"] for each in found] == ["rdma"]
