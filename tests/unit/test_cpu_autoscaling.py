"""What stands before models follows its CPU, between bounds; the picker stays one."""

from typing import Any, cast

import pulumi
import pytest

from components.inference.body_based_router import BodyBasedRouter
from components.inference.callout_service import CalloutService, CalloutServiceArgs
from components.inference.external_backend import ExternalBackend
from components.inference.inference_gateway import InferenceGateway
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATEWAY, GEMINI
from tests.unit.request_chain_arguments import CALLOUT

AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"


def _bounds(cloud: Cloud, name: str) -> tuple[int, int]:
    spec = cloud.one(AUTOSCALER, f"{name}-autoscaler").inputs["spec"]
    (metric,) = spec["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
    return spec["minReplicas"], spec["maxReplicas"]


def _callout(**changes: Any) -> CalloutServiceArgs:
    return cast("CalloutServiceArgs", {**CALLOUT, **changes})


def _router() -> BodyBasedRouter:
    args = {"namespace": "n", "physical_name": "router", "gateway_name": "g", "image": "i/r:1"}
    return BodyBasedRouter("router", cast("Any", args))


@pytest.mark.parametrize("make", [_router, lambda: ExternalBackend("backend", GEMINI)])
def test_router_and_proxies_have_two_replicas_and_more_by_cpu(deploy: Deploy, make: Any):
    cloud = deploy(make)
    deployment = cloud.one(DEPLOYMENT)
    assert _bounds(cloud, deployment.name.removesuffix("-deployment")) == (2, 8)
    assert deployment.inputs["spec"]["replicas"] == 2
    assert deployment.ignore_changes == ("spec.replicas",)
    (container,) = deployment.inputs["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"]
    assert cloud.one(BUDGET).inputs["spec"]["maxUnavailable"] == 1


def test_a_callout_has_as_many_replicas_as_told_unless_it_may_have_more(deploy: Deploy):
    fixed = deploy(lambda: CalloutService("guard", CALLOUT))
    assert not fixed.all(AUTOSCALER)
    assert not fixed.one(DEPLOYMENT).ignore_changes
    scaled = deploy(lambda: CalloutService("guard", _callout(replicas=3, max_replicas=9)))
    assert _bounds(scaled, "guard") == (3, 9)
    assert scaled.one(DEPLOYMENT).ignore_changes == ("spec.replicas",)


def test_a_most_below_the_least_is_refused(deploy: Deploy):
    with pytest.raises(
        pulumi.InputPropertiesError, match=r"replicas: found 3; allowed: at most max"
    ):
        deploy(lambda: CalloutService("guard", _callout(replicas=3, max_replicas=2)))


def test_no_picker_is_autoscaled(deploy: Deploy):
    cloud = deploy(lambda: InferenceGateway("gateway", GATEWAY))
    scaled = {each.inputs["spec"]["scaleTargetRef"]["name"] for each in cloud.all(AUTOSCALER)}
    pickers = {each.inputs["metadata"]["name"] for each in cloud.all(DEPLOYMENT, ".*picker.*")}
    assert not pickers & scaled
