"""Guardrails other than Model Armor at the gateway: a service, the replica; and the floor."""

from copy import deepcopy
from typing import Any, cast

import pytest

from components.inference.callout_service import (
    CalloutService,
    CalloutServiceArgs,
    validate_callout_service,
)
from components.inference.model_armor_floor import (
    ModelArmorFloor,
    ModelArmorFloorArgs,
    validate_model_armor_floor,
)
from components.inference.model_server import ModelServer
from components.inference.model_server_arguments import ModelServerArgs, validate_model_server
from components.inference.traffic_extension import TrafficExtension
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import OPEN_SERVER
from tests.unit.request_chain_arguments import CALLOUT, CHAIN

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
EXTENSION = "kubernetes:networking.gke.io/v1:GCPTrafficExtension"
FLOOR = "gcp:modelarmor/floorsetting:Floorsetting"
GUARDED = cast(
    "ModelServerArgs",
    {
        **OPEN_SERVER,
        "replica_guardrail": {"image": "nemo:1", "port": 8080, "environment": {"MODE": "strict"}},
    },
)


def _pod(cloud: Cloud) -> dict[str, Any]:
    return cloud.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]


class TestService:
    """A guardrail server stands ready before requests are sent to it, whole."""

    def test_it_speaks_grpc_to_the_load_balancer(self, deploy: Deploy):
        service = deploy(lambda: CalloutService("guard", CALLOUT)).one(SERVICE)
        (port,) = service.inputs["spec"]["ports"]
        assert (port["port"], port["appProtocol"]) == (50051, "HTTP2")

    def test_the_chain_waits_for_it_and_sends_bodies_whole(self, deploy: Deploy):
        def program() -> None:
            service = CalloutService("guard", CALLOUT)
            TrafficExtension("region", {**CHAIN, "extensions": [service.extension]})

        cloud = deploy(program)
        extension = cloud.one(EXTENSION)
        for needed in (cloud.one(DEPLOYMENT), cloud.one(SERVICE)):
            assert cloud.requires(extension, needed)
        (chain,) = extension.inputs["spec"]["extensionChains"]
        (callout,) = chain["extensions"]
        assert callout["backendRef"]["name"] == "guard"
        assert callout["requestBodySendMode"] == "FullDuplexStreamed"
        assert callout["responseBodySendMode"] == "FullDuplexStreamed"
        assert callout["failOpen"] is False

    def test_it_survives_a_node_and_has_no_rights(self, deploy: Deploy):
        cloud = deploy(lambda: CalloutService("guard", CALLOUT))
        assert cloud.one(DEPLOYMENT).inputs["spec"]["replicas"] == 2
        assert cloud.one("kubernetes:policy/v1:PodDisruptionBudget")
        pod = _pod(cloud)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["readinessProbe"]["grpc"]["port"] == 50052

    @pytest.mark.parametrize(
        ("changes", "path", "reason"),
        [
            ({"port": 80}, "port", "found 80; allowed: a whole number from 1024"),
            (
                {"health_port": 70000},
                "health_port",
                "found 70000; allowed: a whole number from 1024",
            ),
            ({"replicas": 0}, "replicas", "found 0; allowed: a whole number from 1 to 100"),
            ({"extension_name": "A"}, "extension_name", "found 'A'; allowed: 1 to 63"),
        ],
    )
    def test_wrong_arguments_are_told(self, changes: dict[str, Any], path: str, reason: str):
        args = cast("CalloutServiceArgs", {**deepcopy(CALLOUT), **changes})
        (problem,) = validate_callout_service("guard", args).found
        assert problem["property_path"] == path
        assert problem["reason"].startswith(reason)


class TestReplica:
    """A guardrail in the pod takes the requests, and asks the model itself."""

    def test_requests_go_to_the_guardrail_and_from_there_to_the_model(self, deploy: Deploy):
        cloud = deploy(lambda: ModelServer("guarded", GUARDED).port)
        assert cloud.value == 8080
        guardrail, model = _pod(cloud)["containers"]
        assert guardrail["image"] == "nemo:1"
        assert {"name": "UPSTREAM_URL", "value": "http://127.0.0.1:8000"} in guardrail["env"]
        assert {"name": "MODE", "value": "strict"} in guardrail["env"]
        assert model["name"] == "vllm"
        assert model["ports"] == [{"name": "http", "containerPort": 8000}]

    def test_it_is_ready_when_the_model_is_and_restarts_for_itself_alone(self, deploy: Deploy):
        guardrail, _ = _pod(deploy(lambda: ModelServer("guarded", GUARDED)))["containers"]
        assert guardrail["readinessProbe"]["httpGet"]["path"] == "/health"
        assert guardrail["livenessProbe"]["tcpSocket"] == {"port": "guarded"}
        assert guardrail["securityContext"]["allowPrivilegeEscalation"] is False

    def test_without_one_the_model_takes_the_requests(self, deploy: Deploy):
        cloud = deploy(lambda: ModelServer("open", OPEN_SERVER).port)
        assert cloud.value == 8000
        assert len(_pod(cloud)["containers"]) == 1

    @pytest.mark.parametrize(("port", "reason"), [(8000, "found 8000, which"), (80, "found 80; a")])
    def test_a_port_it_cannot_have_is_told(self, port: int, reason: str):
        args = cast(
            "ModelServerArgs", {**GUARDED, "replica_guardrail": {"image": "a:1", "port": port}}
        )
        (problem,) = validate_model_server("guarded", args).found
        assert problem["property_path"] == "replica_guardrail.port"
        assert problem["reason"].startswith(reason)


class TestFloor:
    """The floor binds every template of the project."""

    def test_it_is_enforced_with_everything_a_floor_can_hold(self, deploy: Deploy):
        floor = deploy(lambda: ModelArmorFloor("inference", {"project": "acme"})).one(FLOOR)
        assert floor.inputs["parent"] == "projects/acme"
        assert floor.inputs["location"] == "global"
        assert floor.inputs["enableFloorSettingEnforcement"] is True
        filters = floor.inputs["filterConfig"]
        assert filters["maliciousUriFilterSettings"] == {"filterEnforcement": "ENABLED"}
        assert {each["confidenceLevel"] for each in filters["raiSettings"]["raiFilters"]} == {
            "MEDIUM_AND_ABOVE"
        }

    def test_it_can_be_written_down_only_and_lowered(self, deploy: Deploy):
        args: ModelArmorFloorArgs = {
            "project": "acme",
            "enforce": False,
            "malicious_urls": False,
            "responsible_ai": dict.fromkeys(
                ("dangerous", "harassment", "hate_speech", "sexually_explicit"), "none"
            ),
        }
        floor = deploy(lambda: ModelArmorFloor("inference", args)).one(FLOOR)
        assert floor.inputs["enableFloorSettingEnforcement"] is False
        assert floor.inputs["filterConfig"] == {
            "maliciousUriFilterSettings": {"filterEnforcement": "DISABLED"}
        }

    def test_wrong_levels_are_told(self):
        problems = validate_model_armor_floor(
            {"project": "acme", "responsible_ai": {"dangerous": "hgh", "spam": "low"}}
        )
        assert [each["property_path"] for each in problems.found] == [
            "responsible_ai.dangerous",
            "responsible_ai.spam",
        ]
