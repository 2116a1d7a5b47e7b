"""Apigee: who calls is known, limits are counted, keys are secret, and rights are few."""

import zipfile
from copy import deepcopy
from itertools import combinations
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import pulumi
import pytest

from components.api_management.apigee_api import ApigeeApi, ApigeeApiArgs, validate_apigee_api
from components.api_management.apigee_backend import ApigeeBackend
from components.api_management.apigee_operator_access import (
    ApigeeOperatorAccess,
    ApigeeOperatorAccessArgs,
)
from components.api_management.apigee_organization import (
    ApigeeOrganization,
    ApigeeOrganizationArgs,
)
from components.api_management.proxy_bundle import ApigeeJwt, proxy_files
from components.validation import Problems
from tests.unit.harness import Cloud, Deploy
from tests.unit.request_chain_arguments import API, BACKEND, OPERATOR_ACCESS, ORGANIZATION

ENVIRONMENT = "gcp:apigee/environment:Environment"
PRODUCT = "gcp:apigee/apiProduct:ApiProduct"
APP = "gcp:apigee/developerApp:DeveloperApp"
GRANT = "gcp:projects/iAMMember:IAMMember"
ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
RELEASE = "kubernetes:helm.sh/v3:Release"
BACKEND_SERVICE = "kubernetes:apim.googleapis.com/v1:ApigeeBackendService"
TOKENS: ApigeeJwt = {
    "issuer": "https://id.acme.com/",
    "audience": "inference",
    "jwks_uri": "https://id.acme.com/keys/a&b",
}


def _with(**changes: Any) -> ApigeeApiArgs:
    return cast("ApigeeApiArgs", {**deepcopy(API), **changes})


def _with_tokens() -> ApigeeApiArgs:
    return _with(jwt=TOKENS, consumers={"apps": {"client_id": "apps-client"}})


def _api(deploy: Deploy, args: ApigeeApiArgs = API) -> Cloud:
    return deploy(lambda: ApigeeApi("inference", args).proxy)


def _steps(jwt: ApigeeJwt | None) -> list[tuple[str, str | None]]:
    """Return the policies of the proxy in their order, each with its condition."""
    endpoint = ET.fromstring(proxy_files("inference", jwt)["apiproxy/proxies/default.xml"])  # noqa: S314 - ours
    return [
        (step.findtext("Name", ""), step.findtext("Condition"))
        for step in endpoint.iterfind("PreFlow/Request/Step")
    ]


def _policy(jwt: ApigeeJwt | None, name: str) -> ET.Element:
    return ET.fromstring(proxy_files("inference", jwt)[f"apiproxy/policies/{name}.xml"])  # noqa: S314 - ours


class TestProxy:
    """The proxy knows the caller before it counts, and answers the load balancer itself."""

    def test_a_key_is_the_bearer_token_as_clients_of_the_api_send_it(self):
        assert [name for name, _ in _steps(None)] == [
            "Extract-Key",
            "Verify-Consumer",
            "SpikeArrest-Consumer",
            "Quota-Consumer",
            "Assign-No-Credential",
        ]
        assert _policy(None, "Extract-Key").findtext("Header/Pattern") == "Bearer {key}"
        key = _policy(None, "Verify-Consumer").find("APIKey")
        assert key is not None
        assert key.get("ref") == "credential.key"

    def test_a_token_is_verified_before_its_client_is_believed(self):
        assert [name for name, _ in _steps(TOKENS)][:2] == ["VerifyJWT-Token", "Verify-Consumer"]
        token = _policy(TOKENS, "VerifyJWT-Token")
        assert token.findtext("Issuer") == "https://id.acme.com/"
        assert token.findtext("Audience") == "inference"
        keys = token.find("PublicKey/JWKS")
        assert keys is not None
        assert keys.get("uri") == "https://id.acme.com/keys/a&b"
        client = _policy(TOKENS, "Verify-Consumer").find("APIKey")
        assert client is not None
        assert client.get("ref") == "jwt.VerifyJWT-Token.decoded.claim.azp"

    def test_only_limits_are_conditional(self):
        for jwt in (None, TOKENS):
            conditional = {name for name, condition in _steps(jwt) if condition}
            assert conditional == {"SpikeArrest-Consumer", "Quota-Consumer"}

    def test_each_consumer_is_counted_apart(self):
        for policy in ("SpikeArrest-Consumer", "Quota-Consumer"):
            identifier = _policy(None, policy).find("Identifier")
            assert identifier is not None
            assert identifier.get("ref") == "client_id"

    def test_model_servers_never_see_the_credential(self):
        header = _policy(None, "Assign-No-Credential").find("Remove/Headers/Header")
        assert header is not None
        assert header.get("name") == "Authorization"

    def test_it_has_no_target(self):
        endpoint = ET.fromstring(proxy_files("inference", None)["apiproxy/proxies/default.xml"])  # noqa: S314 - ours
        route = endpoint.find("RouteRule")
        assert route is not None
        assert list(route) == []

    def test_the_archive_is_the_same_until_the_proxy_changes(self, deploy: Deploy):
        bundles = [
            _api(deploy, args).one("gcp:apigee/api:Api").inputs["configBundle"]
            for args in (API, API, _with_tokens())
        ]
        assert bundles[0] == bundles[1] != bundles[2]
        with zipfile.ZipFile(Path(bundles[0])) as archive:
            assert set(archive.namelist()) == set(proxy_files("inference", None))


class TestApi:
    """Each consumer has a product with its limits, and a credential of its own."""

    def test_limits_are_those_of_the_consumer(self, deploy: Deploy):
        cloud = _api(deploy)
        apps, partner = (
            cloud.one(PRODUCT, f"inference-{name}-product").inputs for name in ("apps", "partner")
        )
        assert (apps["quota"], apps["quotaInterval"], apps["quotaTimeUnit"]) == ("5000", "1", "day")
        assert {"name": "requests_per_minute", "value": "600pm"} in apps["attributes"]
        assert "quota" not in partner
        assert partner["attributes"] == [{"name": "access", "value": "private"}]

    def test_a_product_is_for_this_api_only(self, deploy: Deploy):
        for product in _api(deploy).all(PRODUCT):
            (operations,) = product.inputs["operationGroup"]["operationConfigs"]
            assert operations["apiSource"] == "inference"
            assert product.inputs["environments"] == ["inference"]

    def test_keys_are_made_by_apigee_and_secret(self, deploy: Deploy):
        for app in _api(deploy).all(APP):
            assert "consumerKey" not in app.inputs
            assert {"credentials", "consumerSecret"} <= set(app.additional_secret_outputs)

    def test_the_key_given_on_is_the_newest_that_is_approved_and_a_secret(self, deploy: Deploy):
        issued = {"1": "approved", "2": "approved", "3": "revoked"}
        credentials = [
            {"consumerKey": f"key-{at}", "issuedAt": at, "status": status}
            for at, status in issued.items()
        ]
        cloud = deploy(
            lambda: pulumi.Output.all(
                **{
                    key: pulumi.Output.all(each, pulumi.Output.from_input(each.is_secret()))
                    for key, each in ApigeeApi("inference", API).keys.items()
                }
            ),
            answers={APP: {"credentials": credentials}},
        )
        assert cloud.value == {name: ["key-2", True] for name in API["consumers"]}

    def test_with_tokens_the_client_is_the_key_and_its_secret_is_never_seen(self, deploy: Deploy):
        app = _api(deploy, _with_tokens()).one(APP)
        assert app.inputs["consumerKey"] == "apps-client"
        assert "consumerSecret" in app.secret_inputs
        assert app.ignore_changes == ("consumerSecret",)

    def test_the_proxy_is_given_once_it_runs_under_the_host_name(self, deploy: Deploy):
        cloud = _api(deploy)
        assert cloud.value == "inference"
        assert cloud.one("gcp:apigee/envGroup:EnvGroup").inputs["hostnames"] == [
            "inference.acme.internal"
        ]
        deployment = cloud.one("gcp:apigee/apiDeployment:ApiDeployment")
        assert cloud.requires(deployment, cloud.one("gcp:apigee/api:Api"))

    @pytest.mark.parametrize(
        ("changes", "path", "reason"),
        [
            ({"consumers": {}}, "consumers", "found an empty mapping"),
            ({"consumers": {"A_b": {}}}, "consumers.A_b", "found the name 'A_b'; allowed: 1 to 63"),
            (
                {"consumers": {"a": {"requests_per_minute": 0}}},
                "consumers.a.requests_per_minute",
                "found 0; allowed: a whole number from 1",
            ),
            (
                {"consumers": {"a": {"quota": {"requests": -1, "per": "day"}}}},
                "consumers.a.quota.requests",
                "found -1; allowed: a whole number from 1",
            ),
            (
                {"consumers": {"a": {"quota": {"requests": 1, "per": "week"}}}},
                "consumers.a.quota.per",
                "found 'week'; allowed: minute, hour, day, month",
            ),
            (
                {"jwt": TOKENS},
                "consumers.apps.client_id",
                "found nothing; allowed: what tokens name",
            ),
            (
                {"consumers": {"a": {"client_id": "x"}}},
                "consumers.a.client_id",
                "found 'x'; allowed: nothing where authentication",
            ),
            (
                {"jwt": TOKENS, "consumers": {"a": {"client_id": "x"}, "b": {"client_id": "x"}}},
                "consumers.b.client_id",
                "found 'x', the client of a too",
            ),
        ],
    )
    def test_wrong_arguments_are_told(self, changes: dict[str, Any], path: str, reason: str):
        found = validate_apigee_api(_with(**changes)).found
        assert [e for e in found if e["property_path"] == path and e["reason"].startswith(reason)]


class TestOrganization:
    """A new organization is reached without peering, and answers load balancers."""

    def test_it_runs_in_every_region_before_the_environment_is_given(self, deploy: Deploy):
        cloud = deploy(lambda: ApigeeOrganization("inference", ORGANIZATION).environment)
        assert cloud.value == "inference"
        organization = cloud.one("gcp:apigee/organization:Organization")
        assert organization.inputs["disableVpcPeering"] is True
        assert organization.protect
        instances = cloud.all("gcp:apigee/instance:Instance")
        assert {each.inputs["location"] for each in instances} == {"us-central1", "us-east4"}
        assert len(cloud.all("gcp:apigee/instanceAttachment:InstanceAttachment")) == 2

    def test_the_organization_is_asked_for_one_thing_at_a_time(self, deploy: Deploy):
        cloud = deploy(
            lambda: ApigeeApi(
                "llm", _with(organization=ApigeeOrganization("llm", ORGANIZATION).organization)
            )
        )
        made = [
            *cloud.all("gcp:apigee/environment:Environment"),
            *cloud.all("gcp:apigee/instance:Instance"),
            *cloud.all("gcp:apigee/instanceAttachment:InstanceAttachment"),
            *cloud.all("gcp:apigee/envGroup:EnvGroup"),
        ]
        for one, other in combinations(made, 2):
            assert cloud.requires(one, other) or cloud.requires(other, one)

    def test_a_region_has_room_for_one_instance(self, deploy: Deploy):
        cloud = deploy(lambda: ApigeeOrganization("inference", ORGANIZATION))
        assert all(each.delete_before_replace for each in cloud.all("gcp:apigee/instance:Instance"))

    @pytest.mark.parametrize(
        ("changes", "retention"),
        [
            ({}, None),
            ({"deletion_protection": False}, "MINIMUM"),
        ],
    )
    def test_without_protection_its_name_is_soon_free_again(
        self, deploy: Deploy, changes: dict[str, Any], retention: str | None
    ):
        args = cast("ApigeeOrganizationArgs", {**ORGANIZATION, **changes})
        cloud = deploy(lambda: ApigeeOrganization("inference", args))
        organization = cloud.one("gcp:apigee/organization:Organization")
        assert organization.inputs.get("retention") == retention

    def test_its_environment_takes_extensible_proxies(self, deploy: Deploy):
        environment = deploy(lambda: ApigeeOrganization("inference", ORGANIZATION)).one(ENVIRONMENT)
        assert environment.inputs["type"] == "COMPREHENSIVE"
        assert environment.inputs["properties"] == {
            "properties": [{"name": "apigee-service-extension-enabled", "value": "true"}]
        }

    def test_wrong_arguments_are_told(self):
        args = cast(
            "ApigeeOrganizationArgs", {**ORGANIZATION, "regions": [], "environment": "Prod"}
        )
        found = {each["property_path"] for each in Problems.of(ApigeeOrganizationArgs, args).found}
        assert found == {"regions", "environment"}


class TestOperator:
    """The operator of a cluster acts as one account, with few rights."""

    def _access(self, deploy: Deploy, **more: Any) -> Cloud:
        args = cast("ApigeeOperatorAccessArgs", {**OPERATOR_ACCESS, **more})
        return deploy(lambda: ApigeeOperatorAccess("inference-us", args).service_account)

    def test_only_its_kubernetes_account_acts_as_it(self, deploy: Deploy):
        grant = self._access(deploy).one("gcp:serviceaccount/iAMMember:IAMMember")
        assert grant.inputs["role"] == "roles/iam.workloadIdentityUser"
        assert grant.inputs["member"] == "serviceAccount:acme.svc.id.goog[apim/apim-ksa]"

    def test_it_has_no_predefined_role_and_changes_no_right(self, deploy: Deploy):
        cloud = self._access(deploy)
        assert not [g for g in cloud.all(GRANT) if str(g.inputs["role"]).startswith("roles/")]
        permissions = [each for role in cloud.all(ROLE) for each in role.inputs["permissions"]]
        assert len(permissions) == len(set(permissions))
        assert not [each for each in permissions if "setIamPolicy" in each or "actAs" in each]

    def test_each_role_is_in_the_project_of_what_it_is_about(self, deploy: Deploy):
        cloud = self._access(deploy)
        for role in cloud.all(ROLE):
            areas = {each.split(".")[0] for each in role.inputs["permissions"]}
            assert role.inputs["project"] == ("acme-apigee" if areas == {"apigee"} else "acme")

    def test_the_roles_google_asks_for_are_a_choice(self, deploy: Deploy):
        cloud = self._access(deploy, google_roles=True)
        assert cloud.all(ROLE) == []
        assert {(g.inputs["role"], g.inputs["project"]) for g in cloud.all(GRANT)} == {
            ("roles/apigee.admin", "acme-apigee"),
            ("roles/compute.loadBalancerAdmin", "acme"),
            ("roles/compute.networkAdmin", "acme"),
            ("roles/networkservices.serviceExtensionsAdmin", "acme"),
        }

    def test_it_is_installed_after_its_kinds_and_before_the_connection(self, deploy: Deploy):
        cloud = deploy(lambda: ApigeeBackend("inference-us", BACKEND))
        kinds = cloud.one(RELEASE, "inference-us-definitions")
        operator = cloud.one(RELEASE, "inference-us-operator")
        assert kinds.inputs["version"] == operator.inputs["version"]
        assert operator.inputs["values"]["generateEnv"] is False
        assert cloud.requires(operator, kinds)
        assert cloud.requires(cloud.one(BACKEND_SERVICE), operator)

    def test_the_connection_is_closed_by_default_and_waited_for(self, deploy: Deploy):
        backend = deploy(lambda: ApigeeBackend("inference-us", BACKEND)).one(BACKEND_SERVICE)
        assert backend.inputs["spec"]["defaultSecurityEnabled"] is True
        assert backend.inputs["metadata"]["annotations"] == {
            "pulumi.com/waitFor": "jsonpath={.status.currentState}=CREATED"
        }

    def test_the_extension_names_the_platforms_proxy(self, deploy: Deploy):
        cloud = deploy(lambda: ApigeeBackend("inference-us", BACKEND).extension.get("metadata"))
        assert cloud.value["apigee-extension-processor"] == "inference"
