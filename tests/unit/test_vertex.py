"""Vertex AI: a private endpoint with the replicas asked for, and somebody told when it fails."""

import json
from typing import Any, cast

import pulumi
import pytest

from components.operations.vertex_alerts import VertexAlerts, validate_vertex_alerts
from components.operations.vertex_dashboard import VertexDashboard, validate_vertex_dashboard
from components.vertex.vertex_connection import VertexConnection
from components.vertex.vertex_endpoint import VertexEndpoint, validate_vertex_endpoint
from tests.unit import data_arguments as arguments
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Deploy

DEPLOYMENT = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
POLICY = "gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy"


def paths(problems: Any) -> list[str]:
    return [problem["property_path"] for problem in problems.found]


def test_an_endpoint_is_private(deploy: Deploy):
    cloud = deploy(lambda: VertexEndpoint("gemma", arguments.ENDPOINT))
    endpoint = cloud.one(DEPLOYMENT).inputs["endpointConfig"]
    assert endpoint["privateServiceConnectConfig"] == {
        "enablePrivateServiceConnect": True,
        "projectAllowlists": [PROJECT_ID],
        "pscAutomationConfigs": {"projectId": PROJECT_ID, "network": arguments.NETWORK},
    }
    assert "dedicatedEndpointEnabled" not in endpoint


def test_replicas_are_machines_with_their_gpus(deploy: Deploy):
    cloud = deploy(lambda: VertexEndpoint("gemma", arguments.ENDPOINT))
    resources = cloud.one(DEPLOYMENT).inputs["deployConfig"]["dedicatedResources"]
    assert resources["machineSpec"] == {
        "machineType": "g2-standard-24",
        "acceleratorType": "NVIDIA_L4",
        "acceleratorCount": 2,
    }
    assert (resources["minReplicaCount"], resources["maxReplicaCount"]) == (1, 3)
    assert resources["autoscalingMetricSpecs"][0]["target"] == 60


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("publishers/google/models/gemma3@gemma-3-4b-it", "publisherModelName"),
        ("google/gemma-3-4b-it", "huggingFaceModelId"),
    ],
)
def test_a_model_comes_from_model_garden_or_hugging_face(deploy: Deploy, model: str, key: str):
    cloud = deploy(lambda: VertexEndpoint("gemma", {**arguments.ENDPOINT, "model": model}))
    inputs = cloud.one(DEPLOYMENT).inputs
    assert inputs[key] == model
    assert len({"publisherModelName", "huggingFaceModelId"} & set(inputs)) == 1
    assert inputs["modelConfig"]["modelDisplayName"] == "gemma"


def test_the_endpoint_is_told_by_number_and_address(deploy: Deploy):
    def program() -> Any:
        made = VertexEndpoint("gemma", arguments.ENDPOINT)
        return pulumi.Output.all(made.endpoint_id, made.deployed_model_id, made.address)

    connect = {"pscAutomationConfigs": {"projectId": "p", "network": "n", "ipAddress": "10.0.0.9"}}
    answers = {
        DEPLOYMENT: {
            "endpointConfig": {
                "privateServiceConnectConfig": {"enablePrivateServiceConnect": True, **connect}
            }
        }
    }
    assert deploy(program, answers=answers).value == ["123", "789", "10.0.0.9"]
    assert deploy(program).value == ["123", "789", ""]


def test_endpoints_come_after_the_connection_of_their_network(deploy: Deploy):
    def program() -> None:
        connection = VertexConnection("net", arguments.CONNECTION)
        VertexEndpoint("gemma", {**arguments.ENDPOINT, "network": connection.network_id})

    cloud = deploy(program)
    policy = cloud.one(POLICY)
    assert policy.inputs["serviceClass"] == "gcp-vertexai"
    assert policy.inputs["pscConfig"] == {"subnetworks": [arguments.CONNECTION["subnetwork"]]}
    assert cloud.requires(cloud.one(DEPLOYMENT), policy)


def test_every_endpoint_is_watched(deploy: Deploy):
    def program() -> Any:
        VertexDashboard("it", arguments.VERTEX_DASHBOARD)
        VertexAlerts("it", arguments.VERTEX_ALERTS)

    cloud = deploy(program)
    alerts = cloud.all("gcp:monitoring/alertPolicy:AlertPolicy")
    assert [alert.name for alert in alerts] == ["it-vertex-errors", "it-vertex-no-replica"]
    queries = [
        alert.inputs["conditions"][0]["conditionPrometheusQueryLanguage"]["query"]
        for alert in alerts
    ]
    assert queries[0].endswith("> 5")
    assert queries[1].endswith("<= 0")
    for alert, query in zip(alerts, queries, strict=True):
        assert 'endpoint_id=~"123|456"' in query
        assert query in alert.inputs["documentation"]["content"]
    dashboard = cloud.one("gcp:monitoring/dashboard:Dashboard").inputs["dashboardJson"]
    assert 'endpoint_id=~"123|456"' in json.dumps(json.loads(dashboard)).replace('\\"', '"')


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"model": "gemma"}, "model"),
        ({"machine_type": "e2-standard-4"}, "machine_type"),
        ({"max_replicas": 101}, "max_replicas"),
        ({"min_replicas": 4}, "min_replicas"),
        ({"min_replicas": 0}, "min_replicas"),
        ({"duty_cycle_percent": 101}, "duty_cycle_percent"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(change: Any, path: str):
    problems = validate_vertex_endpoint("gemma", cast("Any", {**arguments.ENDPOINT, **change}))
    assert paths(problems) == [path]


def test_nothing_to_watch_is_refused(deploy: Deploy):
    nothing: Any = {**arguments.VERTEX_ALERTS, "endpoint_ids": {}, "channels": []}
    assert paths(validate_vertex_alerts(nothing)) == ["channels", "endpoint_ids"]
    assert paths(validate_vertex_dashboard(nothing)) == ["endpoint_ids"]
    with pytest.raises(pulumi.InputPropertiesError, match="name: found 'I"):
        deploy(lambda: VertexConnection("I", arguments.CONNECTION))
