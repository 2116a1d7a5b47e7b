"""ModelServer: what vLLM is told, what its account may read, and how gently it stops."""

import json
from typing import Any, cast

import pulumi
import pytest

from components.inference.model_server import ModelServer, ModelServerArgs, validate_model_server
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATED_SERVER, OPEN_SERVER

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 - a type
BUCKET_GRANT = "gcp:storage/bucketIAMMember:BucketIAMMember"
TOKEN = "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass"  # noqa: S105 - a type
PRINCIPAL = (
    "principal://iam.googleapis.com/projects/415104041262/locations/global/workloadIdentityPools/"
    "acme.svc.id.goog/subject/ns/inference/sa/"
)


def _with(args: ModelServerArgs, **changes: Any) -> ModelServerArgs:
    return cast("ModelServerArgs", {**args, **changes})


def _deploy(deploy: Deploy, args: ModelServerArgs) -> Cloud:
    return deploy(lambda: ModelServer("server", args))


def _pod(cloud: Cloud) -> dict[str, Any]:
    return cloud.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


def _container(cloud: Cloud) -> dict[str, Any]:
    return _pod(cloud)["containers"][0]


def _arguments(cloud: Cloud) -> list[str]:
    return _container(cloud)["args"]


def test_vllm_serves_the_model_under_the_name_clients_send(deploy: Deploy):
    assert _arguments(_deploy(deploy, OPEN_SERVER)) == [
        "--model=Qwen/Qwen3-4B",
        "--served-model-name=qwen3-4b",
        "--port=8000",
        "--tensor-parallel-size=1",
    ]


def test_adapters_are_served_under_their_own_names(deploy: Deploy):
    arguments = _arguments(_deploy(deploy, GATED_SERVER))
    modules = arguments[arguments.index("--lora-modules") + 1 :]
    assert [json.loads(module) for module in modules] == [
        {
            "name": "topic-control",
            "path": "nvidia/llama-3.1-nemoguard-8b-topic-control",
            "base_model_name": "llama-3.1-8b",
        },
        {
            "name": "content-safety",
            "path": "nvidia/llama-3.1-nemoguard-8b-content-safety",
            "base_model_name": "llama-3.1-8b",
        },
    ]
    assert {
        "--enable-lora",
        "--max-loras=2",
        "--max-cpu-loras=2",
        "--max-lora-rank=64",
        "--max-model-len=8192",
        "--tensor-parallel-size=2",
    } <= set(arguments)


def test_names_for_routes_are_the_model_and_its_adapters(deploy: Deploy):
    cloud = _deploy(deploy, GATED_SERVER)
    component = cloud.one("inference:index:ModelServer")
    outputs = cloud.outputs[component.urn]
    assert outputs["model_names"] == ["llama-3.1-8b", "topic-control", "content-safety"]
    assert outputs["port"] == 8000
    assert outputs["deployment_name"] == "server"


def test_server_args_reach_vllm_sorted(deploy: Deploy):
    args = _with(
        OPEN_SERVER,
        server_args={
            "max_num_seqs": 64,
            "gpu-memory-utilization": 0.9,
            "enforce-eager": True,
            "enable-prefix-caching": False,
        },
    )
    assert _arguments(_deploy(deploy, args))[4:] == [
        "--no-enable-prefix-caching",
        "--enforce-eager",
        "--gpu-memory-utilization=0.9",
        "--max-num-seqs=64",
    ]


def test_replicas_on_partitions_share_a_node(deploy: Deploy):
    cloud = _deploy(deploy, {**GATED_SERVER, "gpus": 1, "partitions": 7})
    limits = _container(cloud)["resources"]["limits"]
    assert limits == {
        "cpu": "1",
        "memory": "8Gi",
        "nvidia.com/gpu": "1",
        "ephemeral-storage": "28Gi",
    }


def test_gpus_are_requested_and_nodes_selected(deploy: Deploy):
    cloud = _deploy(deploy, GATED_SERVER)
    amounts = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "2"}
    found = _container(cloud)["resources"]
    assert found["requests"] == {**amounts, "ephemeral-storage": "100Mi"}
    assert found["limits"].items() >= amounts.items()
    assert _pod(cloud)["nodeSelector"] == {"cloud.google.com/gke-nodepool": "l4"}


def test_pod_labels_select_this_replica_set_only(deploy: Deploy):
    cloud = _deploy(deploy, OPEN_SERVER)
    spec = cloud.one(DEPLOYMENT).inputs["spec"]
    selector = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "server"}
    assert spec["selector"]["matchLabels"] == selector
    assert spec["template"]["metadata"]["labels"] == selector
    component = cloud.one("inference:index:ModelServer")
    assert cloud.outputs[component.urn]["pod_labels"] == selector


def test_pod_runs_without_privilege(deploy: Deploy):
    cloud = _deploy(deploy, OPEN_SERVER)
    pod, container = _pod(cloud), _container(cloud)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    assert cloud.one(ACCOUNT).inputs["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


def test_shared_memory_and_caches_are_volumes(deploy: Deploy):
    cloud = _deploy(deploy, OPEN_SERVER)
    volumes = {volume["name"]: volume for volume in _pod(cloud)["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in _container(cloud)["volumeMounts"]}
    shared = volumes[mounts["/dev/shm"]]  # noqa: S108 - the pod's own
    limits = _container(cloud)["resources"]["limits"]
    assert shared["emptyDir"] == {"medium": "Memory", "sizeLimit": limits["memory"]}


def test_a_replica_fills_no_more_of_the_disk_than_its_model(deploy: Deploy):
    cloud = _deploy(deploy, _with(OPEN_SERVER, gpus=2))
    limits = _container(cloud)["resources"]["limits"]
    assert limits["ephemeral-storage"] == "400Gi"
    for volume in _pod(cloud)["volumes"]:
        assert volume["emptyDir"]["sizeLimit"] in (limits["ephemeral-storage"], limits["memory"])


def test_a_slow_load_is_no_failure_and_a_stop_drains(deploy: Deploy):
    cloud = _deploy(deploy, _with(OPEN_SERVER, startup_timeout_seconds=1805, drain_seconds=120))
    container = _container(cloud)
    health = {"path": "/health", "port": "http"}
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == health
    # The server alone is asked whether it lives.
    assert container["livenessProbe"]["httpGet"] == {"path": "/version", "port": "http"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] == 1810
    assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": 120}}
    assert _pod(cloud)["terminationGracePeriodSeconds"] > 120


def test_rollout_needs_no_spare_gpu(deploy: Deploy):
    strategy = _deploy(deploy, OPEN_SERVER).one(DEPLOYMENT).inputs["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_update_does_not_wait_for_gpus(deploy: Deploy):
    metadata = _deploy(deploy, OPEN_SERVER).one(DEPLOYMENT).inputs["metadata"]
    assert metadata["annotations"] == {
        "pulumi.com/patchForce": "true",
        "pulumi.com/skipAwait": "true",
    }


@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (3, 1)])
def test_several_replicas_have_a_disruption_budget(deploy: Deploy, replicas: int, budgets: int):
    found = _deploy(deploy, _with(OPEN_SERVER, replicas=replicas)).all(BUDGET)
    assert len(found) == budgets
    assert all(budget.inputs["spec"]["maxUnavailable"] == 1 for budget in found)


def test_token_is_a_file_and_nowhere_else(deploy: Deploy):
    cloud = _deploy(deploy, GATED_SERVER)
    environment = {item["name"]: item for item in _container(cloud)["env"]}
    assert environment["HF_TOKEN_PATH"]["value"] == "/var/run/secrets/hugging-face/token"
    assert all("valueFrom" not in item for item in environment.values())
    assert "HF_TOKEN" not in environment
    volume = next(v for v in _pod(cloud)["volumes"] if v["name"] == "hugging-face")
    assert volume["csi"] == {
        "driver": "secrets-store-gke.csi.k8s.io",
        "readOnly": True,
        "volumeAttributes": {"secretProviderClass": "server"},
    }
    token = cloud.one(TOKEN).inputs["spec"]
    assert token["provider"] == "gke"
    assert json.loads(token["parameters"]["secrets"]) == [
        {
            "resourceName": "projects/acme/secrets/hugging-face-token/versions/latest",
            "path": "token",
        }
    ]


def test_account_may_read_its_own_token_only(deploy: Deploy):
    cloud = _deploy(deploy, GATED_SERVER)
    grant = cloud.one(SECRET_GRANT)
    assert grant.inputs["secretId"] == "hugging-face-token"
    assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
    assert grant.inputs["member"] == f"{PRINCIPAL}server"
    assert cloud.all(BUCKET_GRANT) == []
    assert cloud.requires(cloud.one(DEPLOYMENT), grant)


def test_account_may_read_its_own_bucket_only(deploy: Deploy):
    cloud = _deploy(deploy, _with(OPEN_SERVER, source="gs://acme-models/qwen/4b"))
    grant = cloud.one(BUCKET_GRANT)
    assert grant.inputs["bucket"] == "acme-models"
    assert grant.inputs["role"] == "roles/storage.objectViewer"
    assert grant.inputs["member"] == f"{PRINCIPAL}server"
    assert cloud.all(SECRET_GRANT) == []
    assert cloud.requires(cloud.one(DEPLOYMENT), grant)
    assert "--load-format=runai_streamer" in _arguments(cloud)


def test_an_open_model_needs_no_right(deploy: Deploy):
    cloud = _deploy(deploy, OPEN_SERVER)
    assert [r.type for r in cloud.resources if r.type.startswith("gcp:")] == []
    assert cloud.all(TOKEN) == []


def test_every_child_has_the_component_as_parent(deploy: Deploy):
    cloud = _deploy(deploy, GATED_SERVER)
    component = cloud.one("inference:index:ModelServer")
    assert len(cloud.children(component)) == len(cloud.resources) - 1


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        (
            {"node_selector": {}},
            "node_selector",
            "found an empty mapping; allowed: one entry or more; give a node label",
        ),
        (
            {"model": " "},
            "model",
            "found none; allowed: a name; give the model name clients send",
        ),
        ({"gpus": 0}, "gpus", "found 0; allowed: 1, 2, 4, 8; choose one of them"),
        (
            {"replicas": -1},
            "replicas",
            "found -1; allowed: a whole number from 0 to 1000; raise it to 0 or more",
        ),
        (
            {"max_context": 0},
            "max_context",
            (
                "found 0; allowed: a whole number from 128 to 100000000 tokens; raise it to "
                "128 or more"
            ),
        ),
        (
            {"drain_seconds": 0},
            "drain_seconds",
            "found 0; allowed: a whole number from 1 to 86400 seconds; raise it to 1 or more",
        ),
        (
            {"startup_timeout_seconds": 0},
            "startup_timeout_seconds",
            "found 0; allowed: a whole number from 1 to 86400 seconds; raise it to 1 or more",
        ),
        (
            {"source": "Qwen3-4B"},
            "source",
            (
                "found 'Qwen3-4B'; allowed: a Hugging Face repository (owner/name) or a Cloud"
                " Storage folder (gs://bucket/path); write it like Qwen/Qwen3-4B"
            ),
        ),
        (
            {"source": "gs://"},
            "source",
            (
                "found 'gs://'; allowed: a Hugging Face repository (owner/name) or a Cloud "
                "Storage folder (gs://bucket/path); write it like Qwen/Qwen3-4B"
            ),
        ),
        (
            {"gated": True},
            "hugging_face_secret",
            (
                "found none, but gated is true: 'Qwen/Qwen3-4B' cannot be downloaded without a "
                "token; give the id of the Secret Manager secret that holds it"
            ),
        ),
        (
            {"adapters": [{"name": "qwen3-4b", "source": "a/b"}]},
            "adapters[0].name",
            "found 'qwen3-4b' again; allowed: a name of its own; rename the adapter",
        ),
        (
            {"adapters": [{"name": "lora", "source": "gs://bucket/lora"}]},
            "adapters[0].source",
            (
                "found 'gs://bucket/lora'; allowed: a Hugging Face repository (owner/name); "
                "move it there: vLLM loads no adapter from Cloud Storage"
            ),
        ),
        (
            {"max_lora_rank": 33},
            "max_lora_rank",
            (
                "found 33; allowed: 8, 16, 32, 64, 128, 256, 320, 512; give the lowest that "
                "is not below any adapter's"
            ),
        ),
        (
            {"server_args": {"served_model_name": "x"}},
            "server_args.served_model_name",
            (
                "found an option the platform sets; allowed: other options of vLLM; remove it"
                " and use the model's name"
            ),
        ),
    ],
)
def test_wrong_arguments_are_told(changes: dict[str, Any], path: str, reason: str):
    found = validate_model_server("server", _with(OPEN_SERVER, **changes)).found
    assert found == [{"property_path": path, "reason": reason}]


def test_a_long_name_is_told():
    (problem,) = validate_model_server("x" * 64, OPEN_SERVER).found
    assert problem["property_path"] == "name"
    assert "; allowed: 1 to 63 lowercase letters" in problem["reason"]


def test_all_problems_come_at_once(deploy: Deploy):
    args = _with(OPEN_SERVER, gpus=0, source="x")
    with pytest.raises(pulumi.InputPropertiesError, match=r"(?s)server:.*source: .*gpus: "):
        _deploy(deploy, args)


def test_valid_arguments_have_no_problem():
    assert validate_model_server("server", GATED_SERVER).found == []
    assert validate_model_server("server", OPEN_SERVER).found == []
