"""What stands before a service: load balancers of each kind, and API gateways."""

import base64
import json
from typing import Any, cast

import pytest

from components.network.private_name import PrivateName, PrivateNameArgs, validate_private_name
from components.serverless.cloud_run_api import (
    CloudRunApi,
    CloudRunApiArgs,
    validate_cloud_run_api,
)
from components.serverless.cloud_run_load_balancer import (
    CloudRunLoadBalancer,
    CloudRunLoadBalancerArgs,
    validate_cloud_run_load_balancer,
)
from components.serverless.service_images import ServiceImages
from tests.unit import serverless_arguments as arguments
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Cloud, Deploy

GLOBAL: CloudRunLoadBalancerArgs = {
    "project": PROJECT_ID,
    "region": "us-central1",
    "service_name": "chat",
    "kind": "global-external",
    "hostname": "chat.acme.com",
    "armor": {"rate_limit": {"requests": 100, "seconds": 60}, "waf": ["sqli"]},
}
INFO = "info: {title: a, version: '1'}"
JWT = {
    "issuer": "https://accounts.google.com",
    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
    "audiences": ["chat", "more"],
}


def _balancer(deploy: Deploy, args: CloudRunLoadBalancerArgs) -> Cloud:
    return deploy(lambda: CloudRunLoadBalancer("chat", args).address)


def test_an_internal_one_has_a_private_address_and_no_rules_unless_asked(deploy: Deploy):
    cloud = _balancer(deploy, arguments.LOAD_BALANCER)
    assert cloud.one("gcp:compute/address:Address").inputs["addressType"] == "INTERNAL"
    rule = cloud.one("gcp:compute/forwardingRule:ForwardingRule")
    assert rule.inputs["loadBalancingScheme"] == "INTERNAL_MANAGED"
    assert rule.inputs["portRange"] == "443"
    assert not cloud.all("gcp:compute/regionSecurityPolicy:RegionSecurityPolicy")
    assert cloud.value == "10.0.0.42"


def test_a_regional_one_outside_lets_in_the_named_ranges_alone(deploy: Deploy):
    cloud = _balancer(
        deploy,
        {
            **arguments.LOAD_BALANCER,
            "kind": "regional-external",
            "armor": {"allow": ["203.0.113.0/24"]},
        },
    )
    policy = cloud.one("gcp:compute/regionSecurityPolicy:RegionSecurityPolicy")
    assert [rule["action"] for rule in policy.inputs["rules"]] == ["allow", "deny(403)"]
    backend = cloud.one("gcp:compute/regionBackendService:RegionBackendService")
    assert backend.inputs["securityPolicy"].endswith(policy.id)
    assert cloud.one("gcp:compute/address:Address").inputs["addressType"] == "EXTERNAL"


def test_a_global_one_limits_rates_and_signatures_and_gets_a_certificate(deploy: Deploy):
    cloud = _balancer(deploy, GLOBAL)
    policy = cloud.one("gcp:compute/securityPolicy:SecurityPolicy")
    waf, rate, rest = policy.inputs["rules"]
    assert "'sqli-v33-stable'" in waf["match"]["expr"]["expression"]
    assert waf["action"] == "deny(403)"
    assert rate["rateLimitOptions"]["rateLimitThreshold"] == {"count": 100, "intervalSec": 60}
    assert rest["action"] == "allow"
    certificate = cloud.one("gcp:compute/managedSslCertificate:ManagedSslCertificate")
    assert certificate.inputs["managed"] == {"domains": ["chat.acme.com"]}
    group = cloud.one("gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup")
    assert group.inputs["cloudRun"] == {"service": "chat"}
    assert cloud.one("gcp:compute/sSLPolicy:SSLPolicy").inputs["minTlsVersion"] == "TLS_1_2"


@pytest.mark.parametrize(
    ("args", "paths"),
    [
        ({**GLOBAL, "kind": "external"}, ["kind"]),
        ({**GLOBAL, "kind": "internal"}, ["network", "subnetwork", "certificate"]),
        ({**GLOBAL, "certificate": "c"}, ["certificate"]),
        (
            {**GLOBAL, "armor": {"rate_limit": {"requests": 0, "seconds": 60}}},
            ["armor.rate_limit.requests"],
        ),
        ({**GLOBAL, "armor": {"allow": ["10.0.0.1/8"]}}, ["armor.allow[0]"]),
        ({**GLOBAL, "armor": {"waf": ["all"]}}, ["armor.waf[0]"]),
        ({**GLOBAL, "hostname": "a"}, ["hostname"]),
    ],
)
def test_wrong_load_balancers_are_refused(args: Any, paths: list[str]):
    found = validate_cloud_run_load_balancer("chat", args).found
    assert [problem["property_path"] for problem in found] == paths


def _document(cloud: Cloud) -> Any:
    config = cloud.one("gcp:apigateway/apiConfig:ApiConfig")
    contents = config.inputs["openapiDocuments"][0]["document"]["contents"]
    return json.loads(base64.b64decode(contents))


def test_the_gateway_calls_as_an_account_that_may_do_just_that(deploy: Deploy):
    cloud = deploy(
        lambda: CloudRunApi("chat", arguments.API).url,
        answers={"gcp:apigateway/gateway:Gateway": {"defaultHostname": "chat-1.uc.gateway.dev"}},
    )
    account = cloud.one("gcp:serviceaccount/account:Account").outputs["email"]
    grant = cloud.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert (grant.inputs["role"], grant.inputs["member"]) == (
        "roles/run.invoker",
        f"serviceAccount:{account}",
    )
    config = cloud.one("gcp:apigateway/apiConfig:ApiConfig")
    assert config.inputs["gatewayConfig"]["backendConfig"]["googleServiceAccount"] == account
    assert cloud.value == "https://chat-1.uc.gateway.dev"


def test_a_key_is_asked_for_and_counted(deploy: Deploy):
    document = _document(deploy(lambda: CloudRunApi("chat", arguments.API)))
    assert document["x-google-backend"]["address"] == "https://chat-uc.a.run.app"
    assert document["x-google-backend"]["jwt_audience"] == "https://chat-uc.a.run.app"
    assert document["security"] == [{"api_key": []}]
    (limit,) = document["x-google-management"]["quota"]["limits"]
    assert (limit["unit"], limit["values"]) == ("1/min/{project}", {"STANDARD": 60})
    operation = document["paths"]["/v1/chat"]["post"]
    assert operation["x-google-quota"] == {"metricCosts": {limit["metric"]: 1}}


def test_tokens_of_the_issuer_are_asked_for(deploy: Deploy):
    args = cast("CloudRunApiArgs", {**arguments.API, "callers": {"jwt": JWT}})
    document = _document(deploy(lambda: CloudRunApi("chat", args)))
    definition = document["securityDefinitions"]["jwt"]
    assert definition["x-google-audiences"] == "chat,more"
    assert definition["x-google-jwks_uri"] == JWT["jwks_uri"]
    assert "x-google-management" not in document


def test_another_document_is_another_configuration(deploy: Deploy):
    ids: set[str] = set()
    for seconds in (30, 60):
        args = cast("CloudRunApiArgs", {**arguments.API, "timeout_seconds": seconds})
        cloud = deploy(lambda args=args: CloudRunApi("chat", args))
        ids.add(cloud.one("gcp:apigateway/apiConfig:ApiConfig").inputs["apiConfigId"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"document": "{"}, "document"),
        ({"document": "openapi: 3.0.0"}, "document"),
        ({"document": "{swagger: '2.0', info: {title: a}, paths: {/: {}}}"}, "document"),
        ({"document": "{swagger: '2.0', info: {title: a, version: '1'}}"}, "document"),
        (
            {"document": "{swagger: '2.0', info: {title: a, version: '1'}, paths: {a: {get: {}}}}"},
            "document",
        ),
        (
            {"document": f"{{swagger: '2.0', {INFO}, paths: {{/: {{get: {{a: 1}}}}}}}}"},
            "document",
        ),
        ({"document": arguments.DOCUMENT.replace("{", '{"host": "h", ', 1)}, "document"),
        ({"callers": {}}, "callers"),
        ({"callers": {"jwt": {**JWT, "audiences": []}}}, "callers.jwt.audiences"),
        ({"callers": {"jwt": {**JWT, "jwks_uri": "http://a"}}}, "callers.jwt.jwks_uri"),
        ({"callers": {"jwt": JWT, "requests_per_minute": 1}}, "callers.requests_per_minute"),
        ({"timeout_seconds": 601}, "timeout_seconds"),
    ],
)
def test_wrong_gateways_are_refused(change: Any, path: str):
    args = cast("CloudRunApiArgs", {**arguments.API, **change})
    found = validate_cloud_run_api("chat", args).found
    assert [problem["property_path"] for problem in found] == [path]


def test_a_name_of_two_regions_leads_to_the_nearest(deploy: Deploy):
    args: PrivateNameArgs = {
        **arguments.PRIVATE_NAME,
        "addresses": {"us-central1": "10.0.0.9", "us-east4": "10.1.0.9"},
    }
    record = deploy(lambda: PrivateName("chat", args)).one("gcp:dns/recordSet:RecordSet")
    assert [geo["location"] for geo in record.inputs["routingPolicy"]["geos"]] == [
        "us-central1",
        "us-east4",
    ]
    assert "rrdatas" not in record.inputs


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"addresses": {}}, "addresses"),
        ({"networks": []}, "networks"),
        ({"hostname": "chat"}, "hostname"),
        ({"hostname": "chat.acme."}, "hostname"),
    ],
)
def test_wrong_names_are_refused(change: Any, path: str):
    args = cast("PrivateNameArgs", {**arguments.PRIVATE_NAME, **change})
    assert [each["property_path"] for each in validate_private_name(args).found] == [path]


def test_images_keep_their_tags(deploy: Deploy):
    cloud = deploy(
        lambda: ServiceImages("it", {"project": PROJECT_ID, "region": "us-central1"}).prefix
    )
    repository = cloud.one("gcp:artifactregistry/repository:Repository")
    assert repository.inputs["dockerConfig"] == {"immutableTags": True}
    assert repository.protect
    assert cloud.value == f"us-central1-docker.pkg.dev/{PROJECT_ID}/services/"
