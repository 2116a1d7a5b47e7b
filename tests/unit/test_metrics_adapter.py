"""MetricsAdapter and the autoscaler: metrics for whom, which rights, and when replicas come."""

from typing import Any

import pulumi
import pytest

from catalog.metrics import METRICS
from components.inference.model_server import ModelServer
from components.inference.model_server_arguments import ModelServerArgs, validate_model_server
from components.operations.metrics_adapter import MetricsAdapter, MetricsAdapterArgs
from policies.rules.scale_limits.scale_hpa_max import RULE
from tests.unit.harness import Deploy
from tests.unit.inference_arguments import OPEN_SERVER
from tests.unit.operations_arguments import ADAPTER

API_SERVICE = "kubernetes:apiregistration.k8s.io/v1:APIService"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SCALED: ModelServerArgs = {
    **OPEN_SERVER,
    "replicas": 1,
    "max_replicas": 4,
    "queue_per_replica": 8,
}


def test_the_autoscaler_follows_the_queue_between_its_bounds(deploy: Deploy):
    cloud = deploy(lambda: ModelServer("server", SCALED))
    spec = cloud.one(AUTOSCALER).inputs["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 4)
    assert spec["scaleTargetRef"]["name"] == "server"
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] == (
        f"prometheus.googleapis.com|{METRICS['server_waiting'].name}|gauge"
    )
    assert metric["pods"]["target"] == {"type": "AverageValue", "averageValue": "8"}


def test_the_autoscaler_goes_by_what_replicas_have_where_told(deploy: Deploy):
    args: ModelServerArgs = {
        **SCALED,
        "running_per_replica": 40,
        "kv_cache_percent": 85,
        "scale_down_seconds": 60,
    }
    spec = deploy(lambda: ModelServer("server", args)).one(AUTOSCALER).inputs["spec"]
    targets = {
        each["pods"]["metric"]["name"].split("|")[1]: each["pods"]["target"]["averageValue"]
        for each in spec["metrics"]
    }
    assert targets == {
        "vllm:num_requests_waiting": "8",
        "vllm:num_requests_running": "40",
        # From 0 to 1.
        "vllm:kv_cache_usage_perc": "850m",
    }
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 60


def test_a_replica_set_that_goes_to_zero_follows_whoever_asks(deploy: Deploy):
    labels = {"resource.labels.job": "server-epp"}
    args: ModelServerArgs = {
        **SCALED,
        "replicas": 0,
        "asked_by": {"picker_requests": labels, "picker_held": labels},
    }
    cloud = deploy(lambda: ModelServer("server", args))
    spec = cloud.one(AUTOSCALER).inputs["spec"]
    assert spec["minReplicas"] == 0
    asked = [each["external"]["metric"] for each in spec["metrics"] if each["type"] == "External"]
    assert [each["name"].split("|")[1:] for each in asked] == [
        [METRICS["picker_requests"].name, "counter"],
        [METRICS["picker_held"].name, "gauge"],
    ]
    assert all(each["selector"] == {"matchLabels": labels} for each in asked)
    # It shows once that the model starts.
    assert cloud.one(DEPLOYMENT).inputs["spec"]["replicas"] == 1


def test_no_replica_without_what_tells_that_it_is_asked_is_refused():
    found = validate_model_server("server", {**SCALED, "replicas": 0}).found
    assert [each["property_path"] for each in found] == ["asked_by"]


def test_metrics_of_others_than_pods_are_served_where_told(deploy: Deploy):
    cloud = deploy(lambda: MetricsAdapter("adapter", {**ADAPTER, "external": True}))
    names = [each.inputs["metadata"]["name"] for each in cloud.all(API_SERVICE)]
    assert "v1beta1.external.metrics.k8s.io" in names
    pod = cloud.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    assert "--enable-external-metrics-api=true" in pod["containers"][0]["args"]


def test_an_autoscaled_deployment_leaves_its_number_to_the_autoscaler(deploy: Deploy):
    cloud = deploy(lambda: ModelServer("server", SCALED))
    assert cloud.one(DEPLOYMENT).ignore_changes == ("spec.replicas",)
    assert cloud.all(BUDGET)
    fixed = deploy(lambda: ModelServer("server", OPEN_SERVER))
    assert fixed.one(DEPLOYMENT).inputs["spec"]["replicas"] == 1
    assert not fixed.one(DEPLOYMENT).ignore_changes
    assert not fixed.all(AUTOSCALER)


def test_the_policy_on_autoscalers_judges_it(deploy: Deploy):
    cloud = deploy(lambda: ModelServer("server", SCALED))
    assert RULE.applies(cloud.one(AUTOSCALER).type)


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"max_replicas": 0}, "max_replicas"), ({"queue_per_replica": 0}, "queue_per_replica")],
)
def test_bounds_that_make_no_sense_are_named(changes: dict[str, int], path: str):
    args: Any = {**SCALED, **changes}
    assert [each["property_path"] for each in validate_model_server("server", args).found] == [path]


def test_the_adapter_may_read_metrics_and_is_nobody_else(deploy: Deploy):
    cloud = deploy(lambda: MetricsAdapter("inference-us-east4", ADAPTER))
    grant = cloud.one("gcp:projects/iAMMember:IAMMember")
    assert grant.inputs["role"] == "roles/monitoring.viewer"
    assert grant.inputs["member"].endswith("/subject/ns/custom-metrics/sa/inference-us-east4")
    assert cloud.one("kubernetes:core/v1:ServiceAccount").inputs["metadata"]["name"] == (
        "inference-us-east4"
    )
    (rule,) = cloud.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"]
    assert rule["verbs"] == ["get", "list", "watch"]
    assert rule["resources"] == ["pods", "nodes"]


def test_the_api_is_registered_last_and_goes_first(deploy: Deploy):
    cloud = deploy(lambda: MetricsAdapter("adapter", ADAPTER))
    services = cloud.all(API_SERVICE)
    assert [each.inputs["metadata"]["name"] for each in services] == [
        "v1beta1.custom.metrics.k8s.io",
        "v1beta2.custom.metrics.k8s.io",
    ]
    for service in services:
        assert cloud.requires(service, cloud.one(DEPLOYMENT))
        assert cloud.requires(service, cloud.one("kubernetes:core/v1:Service"))


def test_the_adapter_listens_where_the_control_plane_may_call(deploy: Deploy):
    cloud = deploy(lambda: MetricsAdapter("adapter", ADAPTER))
    pod = cloud.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert "--secure-port=10250" in container["args"]
    (port,) = cloud.one("kubernetes:core/v1:Service").inputs["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (443, 10250)
    assert pod["securityContext"]["runAsNonRoot"] is True


def test_a_name_too_long_is_refused(deploy: Deploy):
    args: MetricsAdapterArgs = ADAPTER
    with pytest.raises(pulumi.InputPropertiesError, match="shorten it"):
        deploy(lambda: MetricsAdapter("a" * 64, args))
