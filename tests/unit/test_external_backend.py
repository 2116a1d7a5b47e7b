"""ExternalBackend: requests leave with the workload's identity, for one server, by one path."""

from typing import Any, cast

import pytest
import yaml

from components.inference.external_backend import (
    ExternalBackend,
    ExternalBackendArgs,
    validate_external_backend,
)
from components.inference.inference_gateway import (
    InferenceGateway,
    InferenceGatewayArgs,
    validate_inference_gateway,
)
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATEWAY, GEMINI

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
HEALTH_CHECK = "kubernetes:networking.gke.io/v1:HealthCheckPolicy"
BACKEND_POLICY = "kubernetes:networking.gke.io/v1:GCPBackendPolicy"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
ON_PROJECT = "gcp:projects/iAMMember:IAMMember"
ON_ENDPOINT = "gcp:vertex/aiEndpointIamMember:AiEndpointIamMember"
COMMON = {key: value for key, value in GEMINI.items() if key != "vertex_ai"}


def _args(**changes: Any) -> ExternalBackendArgs:
    return cast("ExternalBackendArgs", {**GEMINI, **changes})


SERVER = cast(
    "ExternalBackendArgs",
    {**COMMON, "https": {"host": "llm.acme.example", "port": 8443, "path": "/openai/v1"}},
)


def _deploy(deploy: Deploy, args: ExternalBackendArgs = GEMINI) -> Cloud:
    return deploy(lambda: ExternalBackend("gemini", args))


def _envoy(cloud: Cloud) -> dict[str, Any]:
    return yaml.safe_load(cloud.one(CONFIG_MAP).inputs["data"]["envoy.yaml"])


def _listener(envoy: dict[str, Any], name: str) -> dict[str, Any]:
    (listener,) = [x for x in envoy["static_resources"]["listeners"] if x["name"] == name]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def _forward(envoy: dict[str, Any]) -> dict[str, Any]:
    (host,) = _listener(envoy, "requests")["route_config"]["virtual_hosts"]
    (route,) = host["routes"]
    return route


def _script(envoy: dict[str, Any]) -> str:
    (lua,) = [
        each
        for each in _listener(envoy, "requests")["http_filters"]
        if each["name"] == "envoy.filters.http.lua"
    ]
    return lua["typed_config"]["default_source_code"]["inline_string"]


def _cluster(envoy: dict[str, Any], name: str) -> dict[str, Any]:
    (cluster,) = [x for x in envoy["static_resources"]["clusters"] if x["name"] == name]
    return cluster


def test_vertex_ai_is_reached_by_its_regional_endpoint_and_openai_path(deploy: Deploy):
    envoy = _envoy(_deploy(deploy, _args(request_timeout_seconds=600)))
    assert _forward(envoy) == {
        "match": {"prefix": "/v1/"},
        "route": {
            "cluster": "backend",
            "prefix_rewrite": "/v1/projects/acme/locations/us-central1/endpoints/openapi/",
            "host_rewrite_literal": "us-central1-aiplatform.googleapis.com",
            "timeout": "600s",
            "idle_timeout": "600s",
        },
    }


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_a_location_that_is_no_region_has_a_server_of_its_own(
    deploy: Deploy, region: str, host: str
):
    route = _forward(_envoy(_deploy(deploy, _args(vertex_ai={"region": region}))))["route"]
    assert route["host_rewrite_literal"] == host


def test_a_dedicated_endpoint_has_its_own_name_and_path(deploy: Deploy):
    vertex_ai = {"region": "us-east4", "endpoint": "123", "host": "123.prediction.vertexai.goog"}
    route = _forward(_envoy(_deploy(deploy, _args(vertex_ai=vertex_ai))))["route"]
    assert route["host_rewrite_literal"] == "123.prediction.vertexai.goog"
    assert route["prefix_rewrite"] == "/v1/projects/acme/locations/us-east4/endpoints/123/"


def test_another_server_is_reached_by_its_host_port_and_path(deploy: Deploy):
    envoy = _envoy(_deploy(deploy, SERVER))
    assert _forward(envoy)["route"]["prefix_rewrite"] == "/openai/v1/"
    (endpoints,) = _cluster(envoy, "backend")["load_assignment"]["endpoints"]
    (endpoint,) = endpoints["lb_endpoints"]
    assert endpoint["endpoint"]["address"]["socket_address"] == {
        "address": "llm.acme.example",
        "port_value": 8443,
    }


@pytest.mark.parametrize(
    ("args", "host"),
    [(GEMINI, "us-central1-aiplatform.googleapis.com"), (SERVER, "llm.acme.example")],
)
def test_the_server_proves_its_name(deploy: Deploy, args: ExternalBackendArgs, host: str):
    tls = _cluster(_envoy(_deploy(deploy, args)), "backend")["transport_socket"]["typed_config"]
    assert tls["sni"] == host
    validation = tls["common_tls_context"]["validation_context"]
    assert validation["trusted_ca"]["filename"]
    assert validation["match_typed_subject_alt_names"] == [
        {"san_type": "DNS", "matcher": {"exact": host}}
    ]


@pytest.mark.parametrize("args", [GEMINI, SERVER])
def test_clients_credentials_stay_inside(deploy: Deploy, args: ExternalBackendArgs):
    assert 'handle:headers():remove("authorization")' in _script(_envoy(_deploy(deploy, args)))


def test_only_vertex_ai_gets_a_token_of_the_workload(deploy: Deploy):
    names = {
        kind: {x["name"] for x in _envoy(_deploy(deploy, args))["static_resources"]["clusters"]}
        for kind, args in (("vertex", GEMINI), ("other", SERVER))
    }
    assert names == {"vertex": {"backend", "admin", "metadata"}, "other": {"backend", "admin"}}
    assert "Bearer" not in _script(_envoy(_deploy(deploy, SERVER)))


def test_the_administration_is_for_the_pod_itself(deploy: Deploy):
    envoy = _envoy(_deploy(deploy))
    assert envoy["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    (host,) = _listener(envoy, "metrics")["route_config"]["virtual_hosts"]
    (route,) = host["routes"]
    assert route["match"] == {"path": "/metrics"}
    assert route["route"]["prefix_rewrite"] == "/stats/prometheus"


def test_the_account_may_predict_and_nothing_else(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(ROLE).inputs["permissions"] == ["aiplatform.endpoints.predict"]
    grant = cloud.one(ON_PROJECT)
    assert grant.inputs["member"] == (
        "principal://iam.googleapis.com/projects/415104041262/locations/global/"
        "workloadIdentityPools/acme.svc.id.goog/subject/ns/inference/sa/gemini"
    )
    assert cloud.requires(grant, cloud.one(ROLE))
    assert cloud.requires(cloud.one(DEPLOYMENT), grant)


def test_an_endpoint_of_ones_own_is_granted_alone(deploy: Deploy):
    cloud = _deploy(deploy, _args(vertex_ai={"region": "us-east4", "endpoint": "123"}))
    assert cloud.all(ON_PROJECT) == []
    grant = cloud.one(ON_ENDPOINT).inputs
    assert (grant["location"], grant["endpoint"]) == ("us-east4", "123")


def test_another_server_needs_no_right(deploy: Deploy):
    types = {resource.type for resource in _deploy(deploy, SERVER).resources}
    assert not [type_ for type_ in types if type_.startswith("gcp:")]


def test_the_proxy_is_restricted_probed_and_survives_a_node(deploy: Deploy):
    spec = _deploy(deploy).one(DEPLOYMENT).inputs["spec"]
    assert spec["replicas"] == 2
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_answers_may_take_long_and_the_policy_is_attached(deploy: Deploy):
    cloud = _deploy(deploy, _args(request_timeout_seconds=900, security_policy="edge"))
    policy = cloud.one(BACKEND_POLICY).inputs["spec"]
    assert policy["targetRef"] == {"group": "", "kind": "Service", "name": "gemini"}
    assert policy["default"]["timeoutSec"] == 900
    assert policy["default"]["securityPolicy"] == "edge"


def _gateway(**changes: Any) -> InferenceGatewayArgs:
    routes = [
        {
            "models": ["llama"],
            "backends": [
                {"pool": "llama-8b-l4", "weight": 90},
                {"pool": "llama-vertex", "weight": 10},
            ],
        },
        {"models": ["gemini"], "backends": [{"pool": "gemini", "weight": 100}]},
    ]
    external = [
        {"name": "llama-vertex", "service": "llama-vertex-us", "port": 8080},
        {"name": "gemini", "service": "gemini-us", "port": 8080},
    ]
    return cast(
        "InferenceGatewayArgs", {**GATEWAY, "routes": routes, "external": external, **changes}
    )


def test_a_model_is_split_between_a_pool_and_a_server_outside(deploy: Deploy):
    cloud = deploy(lambda: InferenceGateway("gateway", _gateway()))
    (rule,) = cloud.one(ROUTE, "gateway-llama-route").inputs["spec"]["rules"]
    assert rule["backendRefs"] == [
        {
            "group": "inference.networking.k8s.io",
            "kind": "InferencePool",
            "name": "llama-8b-l4",
            "weight": 90,
        },
        {"group": "", "kind": "Service", "name": "llama-vertex-us", "port": 8080, "weight": 10},
    ]


def test_a_gateway_may_have_models_outside_only(deploy: Deploy):
    routes = [{"models": ["gemini"], "backends": [{"pool": "gemini", "weight": 100}]}]
    args = _gateway(pools=[], routes=routes)
    assert validate_inference_gateway("gateway", args).found == []


def test_the_route_comes_after_the_proxy_and_its_policies(deploy: Deploy):
    def program() -> None:
        backend = ExternalBackend("gemini-us", GEMINI)
        external = [{"name": "gemini", "service": backend.service_name, "port": backend.port}]
        routes = [{"models": ["gemini"], "backends": [{"pool": "gemini", "weight": 100}]}]
        InferenceGateway("gateway", _gateway(external=external, routes=routes))

    cloud = deploy(program)
    route = cloud.one(ROUTE, "gateway-gemini-route")
    for earlier in (
        cloud.one(DEPLOYMENT, "gemini-us-deployment"),
        cloud.one(SERVICE, "gemini-us-service"),
        cloud.one(HEALTH_CHECK, "gemini-us-health-check"),
        cloud.one(BACKEND_POLICY, "gemini-us-backend-policy"),
    ):
        assert cloud.requires(route, earlier)


def test_one_name_for_a_pool_and_a_server_is_told():
    external = [{"name": "llama-8b-l4", "service": "s", "port": 8080}]
    found = validate_inference_gateway(
        "gateway", _gateway(external=external, routes=GATEWAY["routes"])
    ).found
    assert found == [
        {
            "property_path": "external[0].name",
            "reason": (
                "found 'llama-8b-l4', which a pool or external backend has too; rename one of them"
            ),
        }
    ]


@pytest.mark.parametrize(
    ("args", "path"),
    [
        (cast("ExternalBackendArgs", COMMON), "vertex_ai"),
        (cast("ExternalBackendArgs", {**SERVER, **GEMINI}), "vertex_ai"),
        (_args(vertex_ai={"region": "us-central1", "endpoint": "llama"}), "vertex_ai.endpoint"),
        (_args(vertex_ai={"region": "us-central1", "host": "https://a"}), "vertex_ai.host"),
        (cast("ExternalBackendArgs", {**COMMON, "https": {"host": "llm"}}), "https.host"),
        (
            cast("ExternalBackendArgs", {**COMMON, "https": {"host": "a.b", "path": "/v1/"}}),
            "https.path",
        ),
        (_args(request_timeout_seconds=0), "request_timeout_seconds"),
    ],
)
def test_wrong_arguments_are_told(args: ExternalBackendArgs, path: str):
    found = validate_external_backend("gemini", args).found
    assert [problem["property_path"] for problem in found] == [path]


def test_valid_arguments_have_no_problem():
    assert validate_external_backend("gemini", GEMINI).found == []
    assert validate_external_backend("other", SERVER).found == []
