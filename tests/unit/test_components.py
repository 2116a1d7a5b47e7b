"""What holds for every component."""

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

import components
from tests.unit import (
    data_arguments,
    inference_arguments,
    operations_arguments,
    request_chain_arguments,
    serverless_arguments,
    test_consumer_vpc,
    test_cross_region_frontend,
    test_gke_cluster,
    test_gpu_node_pool,
    test_image_mirror,
    test_managed_certificate,
    test_private_certificate,
    test_project_services,
    test_psc_endpoint,
    test_pubsub_cloud_run_pipeline,
    test_regional_security_policy,
    test_self_managed_certificate,
    test_serverless_parts,
    test_services_access,
    test_vpc,
    test_vpc_perimeter,
)
from tests.unit.harness import Cloud, Deploy, Recorded

every_component = pytest.mark.parametrize("name", components.COMPONENTS)

ARGUMENTS: Mapping[str, Any] = {
    "ApigeeApi": request_chain_arguments.API,
    "ApigeeBackend": request_chain_arguments.BACKEND,
    "ApigeeOperatorAccess": request_chain_arguments.OPERATOR_ACCESS,
    "ApigeeOrganization": request_chain_arguments.ORGANIZATION,
    "BodyBasedRouter": {
        "namespace": "inference",
        "physical_name": "router",
        "gateway_name": "gateway",
        "image": "router:1",
    },
    "Budget": operations_arguments.BUDGET,
    "CalloutService": request_chain_arguments.CALLOUT,
    "CloudRunApi": serverless_arguments.API,
    "CloudRunLoadBalancer": serverless_arguments.LOAD_BALANCER,
    "CloudRunService": test_serverless_parts.SERVICE_ARGS,
    "ConsumerVpc": test_consumer_vpc.ARGS,
    "CrossRegionFrontend": test_cross_region_frontend.ARGS,
    "DataflowJob": serverless_arguments.DATAFLOW_JOB,
    "DeadLetter": test_serverless_parts.DEAD_LETTER_ARGS,
    "EndpointPicker": {"namespace": "inference", "pool": "pool"},
    "ExternalBackend": inference_arguments.GEMINI,
    "GkeCluster": test_gke_cluster.ARGS,
    "GpuNodePool": test_gpu_node_pool.ARGS,
    "ImageMirror": test_image_mirror.ARGS,
    "InferenceAlerts": operations_arguments.ALERTS,
    "InferenceCrds": {},
    "InferenceDashboard": operations_arguments.DASHBOARD,
    "InferenceGateway": inference_arguments.GATEWAY,
    "InferencePool": {
        "namespace": "inference",
        "pool": inference_arguments.GATEWAY["pools"][0],
        "request_timeout_seconds": 300,
    },
    "KeyAccess": data_arguments.KEY_ACCESS,
    "LakeBucket": data_arguments.BUCKET,
    "LeaderWorkerSets": {},
    "ManagedCertificate": test_managed_certificate.ARGS,
    "MessageArchive": test_serverless_parts.ARCHIVE_ARGS,
    "MessageTable": serverless_arguments.MESSAGE_TABLE,
    "MetricsAdapter": operations_arguments.ADAPTER,
    "ModelArmorAccess": {"project": "p", "project_number": "1", "grant_container_admin": True},
    "ModelArmorFloor": {"project": "p"},
    "ModelArmorGuardrail": inference_arguments.GUARDRAIL,
    "ModelServer": inference_arguments.GATED_SERVER,
    "NamespaceIsolation": {"namespace": "inference", "load_balancer_ranges": ["10.0.0.0/23"]},
    "NotificationChannels": operations_arguments.CHANNELS,
    "PipelineAlerts": operations_arguments.PIPELINE_ALERTS,
    "PipelineDashboard": operations_arguments.PIPELINE_DASHBOARD,
    "PrivateCertificate": test_private_certificate.ARGS,
    "PrivateName": serverless_arguments.PRIVATE_NAME,
    "ProjectServices": test_project_services.ARGS,
    "PscEndpoint": test_psc_endpoint.ARGS,
    "PubSubCloudRunPipeline": {
        **test_pubsub_cloud_run_pipeline.ARGS,
        "bigquery_export": {},
        "exactly_once_pull": True,
    },
    "PullSubscription": serverless_arguments.PULL,
    "RegionalSecurityPolicy": test_regional_security_policy.ARGS,
    "RestrictedGoogleApis": {"project": "p", "network": "n"},
    "ResultsTable": test_serverless_parts.RESULTS_ARGS,
    "ServiceImages": {"project": "acme-test", "region": "us-central1"},
    "ServicesAccess": test_services_access.ARGS,
    "TrafficExtension": request_chain_arguments.CHAIN,
    "SelfManagedCertificate": test_self_managed_certificate.ARGS,
    "PrivateServiceAccess": data_arguments.SERVICE_ACCESS,
    "RedisCache": data_arguments.CACHE,
    "VertexAlerts": data_arguments.VERTEX_ALERTS,
    "VertexConnection": data_arguments.CONNECTION,
    "VertexDashboard": data_arguments.VERTEX_DASHBOARD,
    "VertexEndpoint": data_arguments.ENDPOINT,
    "Vpc": {**test_vpc.TWO_REGIONS, "restricted_google_apis": True},
    "VpcPerimeter": test_vpc_perimeter.ARGS,
    "Warehouse": data_arguments.WAREHOUSE,
}

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": {"email": "bq@acme.com"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": "gs@acme.com"
    },
    "gcp:apigateway/api:Api": {"managedService": "api-1.apigateway.acme.cloud.goog"},
    "gcp:apigateway/gateway:Gateway": {"defaultHostname": "api-1.uc.gateway.dev"},
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": {"jobId": "job-1"},
    "gcp:certificateauthority/authority:Authority": {"pemCaCertificates": ["certificate"]},
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": {"secretData": "key"},
    **test_managed_certificate.ANSWERS,
}
# The SDKs alias a kind's own older API versions; an alias of ours would give a name or parent.
OWN_ALIAS = re.compile(r"name:|urn:|parentUrn: \"[^\"]")


def _program(name: str) -> Callable[[pulumi.ResourceOptions | None], Any]:
    component: Any = components.load(name)
    return lambda opts: component("sample", ARGUMENTS[name], opts)


PROGRAMS = {name: _program(name) for name in components.COMPONENTS}
every_program = pytest.mark.parametrize("name", PROGRAMS)


def _deploy(deploy: Deploy, name: str, opts: pulumi.ResourceOptions | None = None) -> Cloud:
    return deploy(lambda: PROGRAMS[name](opts), answers=ANSWERS)


def test_every_component_is_listed():
    folder = Path(components.__file__).parent
    found = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r"^class (\w+)\(pulumi\.ComponentResource\)", path.read_text(), re.M)
    }
    assert found == set(components.COMPONENTS)


class _Registered(Exception):  # noqa: N818 - a signal, not an error
    pass


@every_component
def test_type_token_is_the_class(name: str, monkeypatch: pytest.MonkeyPatch):
    def register(_: pulumi.ComponentResource, token: str, *rest: Any) -> None:
        raise _Registered(token)

    monkeypatch.setattr(pulumi.ComponentResource, "__init__", register)
    with pytest.raises(_Registered, match=f"^inference:index:{name}$"):
        components.load(name)("it", {})  # pyright: ignore[reportCallIssue, reportArgumentType] - a component's own signature


@every_component
def test_other_languages_can_use_it(name: str):
    found = Analyzer("inference").analyze([components.load(name)])
    definition = found["component_definitions"][name]
    assert definition.description
    assert definition.inputs
    assert definition.outputs
    undocumented = [key for key, value in definition.inputs.items() if not value.description]
    assert not undocumented


@every_component
def test_children_get_plain_options(name: str):
    module = inspect.getmodule(components.load(name))
    assert module
    assert ".merge(" not in inspect.getsource(module)


@every_program
def test_children_have_the_component_as_parent_and_in_their_names(deploy: Deploy, name: str):
    cloud = _deploy(deploy, name)
    top = cloud.one(f"inference:index:{name}")
    assert len(cloud.resources) > 1
    for resource in cloud.resources:
        if resource is top:
            continue
        above = cloud.by_urn(resource.parent)
        assert above.type.startswith("inference:index:")
        assert resource.name.startswith(f"{above.name}-")


@every_program
def test_nothing_is_aliased_and_nothing_named_by_chance(deploy: Deploy, name: str):
    for resource in _deploy(deploy, name).resources:
        assert not [alias for alias in resource.aliases if OWN_ALIAS.search(str(alias))]
        if resource.type.startswith("gcp:compute/"):
            assert resource.inputs["name"]


@every_program
def test_outputs_are_registered_once_and_complete(deploy: Deploy, name: str):
    cloud = _deploy(deploy, name)
    definition = Analyzer("inference").analyze([components.load(name)])
    expected = definition["component_definitions"][name].outputs_mapping.values()
    top = cloud.one(f"inference:index:{name}")
    assert set(cloud.outputs[top.urn]) == set(expected)


@every_program
def test_children_inherit_protection_and_provider(deploy: Deploy, name: str):
    def program() -> None:
        provider = gcp.Provider("chosen")
        PROGRAMS[name](pulumi.ResourceOptions(protect=True, provider=provider))

    cloud = deploy(program, answers=ANSWERS)
    chosen = cloud.one("pulumi:providers:gcp")
    for resource in cloud.resources:
        if resource.type.startswith("gcp:"):
            assert resource.protect
            assert resource.provider.startswith(chosen.urn)


def _is_public(resource: Recorded) -> bool:
    if resource.type in {
        "gcp:compute/address:Address",
        "gcp:compute/globalAddress:GlobalAddress",
    }:
        return resource.inputs.get("addressType") != "INTERNAL"
    if resource.type == "gcp:compute/forwardingRule:ForwardingRule":
        return resource.inputs.get("loadBalancingScheme") not in {"", "INTERNAL_MANAGED"}
    if resource.type == "gcp:dns/managedZone:ManagedZone":
        return resource.inputs.get("visibility") != "private"
    return False


@every_program
def test_nothing_is_public(deploy: Deploy, name: str):
    assert not [r.name for r in _deploy(deploy, name).resources if _is_public(r)]
