"""CloudRunService: the size, secrets, network and revisions that were asked for, nothing more."""

from typing import Any, cast

import pytest

from components.serverless.cloud_run_arguments import (
    CloudRunServiceArgs,
    validate_cloud_run_service,
)
from components.serverless.cloud_run_service import CloudRunService
from tests.unit.harness import Cloud, Deploy
from tests.unit.test_serverless_parts import SERVICE_ARGS

RUN = SERVICE_ARGS["service_account"]
SERVICE = "gcp:cloudrunv2/service:Service"
SECRET_GRANT = "gcp:secretmanager/secretIamMember:SecretIamMember"  # noqa: S105 a type


def _deploy(deploy: Deploy, **change: Any) -> Cloud:
    args = cast("CloudRunServiceArgs", {**SERVICE_ARGS, **change})
    return deploy(lambda: CloudRunService("chat", args))


def _template(deploy: Deploy, **change: Any) -> Any:
    return _deploy(deploy, **change).one(SERVICE).inputs["template"]


def test_a_gpu_stays_with_its_instance_in_one_zone(deploy: Deploy):
    template = _template(deploy, gpu="nvidia-l4", cpu="4", memory_mib=16384)
    resources = template["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "4", "memory": "16384Mi", "nvidia.com/gpu": "1"}
    assert resources["cpuIdle"] is False
    assert template["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert template["gpuZonalRedundancyDisabled"] is True


def test_behind_a_load_balancer_it_may_have_no_address_of_its_own(deploy: Deploy):
    behind = _deploy(deploy, ingress="load-balancer", default_url=False).one(SERVICE)
    assert behind.inputs["defaultUriDisabled"] is True
    assert "defaultUriDisabled" not in _deploy(deploy).one(SERVICE).inputs


def test_secrets_come_by_reference_and_can_be_read_by_this_service_alone(deploy: Deploy):
    cloud = _deploy(
        deploy,
        secret_ids={"key": "llm-api-key", "redis": "redis-url"},
        secrets={"REDIS_URL": {"secret": "redis", "version": "3"}},
        secret_files={"/secrets/api/key": {"secret": "key"}},
    )
    service = cloud.one(SERVICE)
    container = service.inputs["template"]["containers"][0]
    assert container["envs"][-1] == {
        "name": "REDIS_URL",
        "valueSource": {"secretKeyRef": {"secret": "redis-url", "version": "3"}},
    }
    (volume,) = service.inputs["template"]["volumes"]
    assert volume["secret"] == {
        "secret": "llm-api-key",
        "items": [{"path": "key", "version": "latest"}],
    }
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/secrets/api"}]
    grants = cloud.all(SECRET_GRANT)
    assert {(g.inputs["secretId"], g.inputs["role"], g.inputs["member"]) for g in grants} == {
        (
            each,
            "roles/secretmanager.secretAccessor",
            "serviceAccount:run@acme.iam.gserviceaccount.com",
        )
        for each in ("llm-api-key", "redis-url")
    }
    assert all(cloud.requires(service, grant) for grant in grants)


def test_outgoing_traffic_takes_the_network_without_a_connector(deploy: Deploy):
    access = _template(deploy, vpc={"network": "n", "subnetwork": "s"})["vpcAccess"]
    assert access["egress"] == "PRIVATE_RANGES_ONLY"
    (interface,) = access["networkInterfaces"]
    assert (interface["network"], interface["subnetwork"]) == ("n", "s")


def test_a_canary_gets_its_share_by_name(deploy: Deploy):
    service = _deploy(
        deploy,
        revision="v2",
        traffic=[
            {"revision": "v1", "percent": 95},
            {"revision": "v2", "percent": 5, "tag": "next"},
        ],
    ).one(SERVICE)
    assert service.inputs["template"]["revision"] == "chat-v2"
    assert [
        (each["revision"], each["percent"], each.get("tag")) for each in service.inputs["traffics"]
    ] == [("chat-v1", 95, None), ("chat-v2", 5, "next")]


def test_blue_and_green_are_told_apart_by_tag_alone(deploy: Deploy):
    traffic = [
        {"revision": "blue", "percent": 100},
        {"revision": "green", "percent": 0, "tag": "green"},
    ]
    service = _deploy(deploy, revision="green", traffic=traffic).one(SERVICE)
    assert {each["percent"] for each in service.inputs["traffics"]} == {0, 100}


def test_people_pass_the_proxy_and_the_proxy_calls_the_service(deploy: Deploy):
    agent = "service-1@gcp-sa-iap.iam.gserviceaccount.com"
    iap = {"service_agent": agent, "members": {"support": "group:support@acme.com"}}
    cloud = _deploy(deploy, iap=iap, ingress="load-balancer", invokers={})
    assert cloud.one(SERVICE).inputs["iapEnabled"] is True
    call = cloud.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert call.inputs["member"] == f"serviceAccount:{agent}"
    through = cloud.one("gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember")
    assert through.inputs["role"] == "roles/iap.httpsResourceAccessor"
    assert through.inputs["member"] == "group:support@acme.com"


def test_members_with_their_kind_may_call_too(deploy: Deploy):
    cloud = _deploy(deploy, invokers={"team": "group:team@acme.com"})
    grant = cloud.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert grant.inputs["member"] == "group:team@acme.com"


def test_audiences_and_signed_images_are_as_asked(deploy: Deploy):
    service = _deploy(
        deploy, custom_audiences=["https://chat.acme.com"], binary_authorization=True
    ).one(SERVICE)
    assert service.inputs["customAudiences"] == ["https://chat.acme.com"]
    assert service.inputs["binaryAuthorization"] == {"useDefault": True}
    plain = _deploy(deploy).one(SERVICE)
    assert "iapEnabled" not in plain.inputs
    assert "binaryAuthorization" not in plain.inputs
    assert plain.inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"


def test_the_start_can_ask_elsewhere_than_the_life(deploy: Deploy):
    container = _template(deploy, health_path="/healthz", ready_path="/readyz")["containers"][0]
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_a_probe_ends_before_the_next_one(deploy: Deploy):
    container = _template(deploy, health_path="/healthz")["containers"][0]
    probes = [probe for name, probe in container.items() if name.endswith("Probe")]
    assert probes
    assert all(probe["timeoutSeconds"] < probe["periodSeconds"] for probe in probes)


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"gpu": "nvidia-h100"}, "gpu", "found 'nvidia-h100'; allowed: nvidia-l4, "),
        (
            {"gpu": "nvidia-l4", "cpu": "4", "memory_mib": 16384, "region": "us-west1"},
            "gpu",
            "us-east4",
        ),
        ({"gpu": "nvidia-l4", "cpu": "2"}, "cpu", "allowed: 4, 6, 8 with gpu nvidia-l4"),
        ({"gpu": "nvidia-l4", "cpu": "4"}, "memory_mib", "allowed: 16384 to 16384 with cpu 4"),
        ({"ingress": "public"}, "ingress", "allowed: internal, load-balancer, all"),
        (
            {"vpc": {"network": "n", "subnetwork": "s", "egress": "some"}},
            "vpc.egress",
            "private-ranges, all",
        ),
        ({"secrets": {"A": {"secret": "x"}}}, "secrets.A.secret", "found 'x'"),
        (
            {"secret_ids": {"x": "x"}, "secrets": {"PORT": {"secret": "x"}}},
            "secrets.PORT",
            "not one Cloud Run sets",
        ),
        (
            {"secret_ids": {"x": "x"}, "secrets": {"A": {"secret": "x"}}, "environment": {"A": ""}},
            "secrets.A",
            "each variable once",
        ),
        (
            {"secret_ids": {"x": "x"}, "secret_files": {"/top": {"secret": "x"}}},
            'secret_files["/top"]',
            "a folder of its own",
        ),
        ({"traffic": [{"revision": "a", "percent": 100}]}, "revision", "found nothing"),
        (
            {"revision": "a", "traffic": [{"revision": "a", "percent": 90}]},
            "traffic",
            "found 90 percent in all; allowed: 100",
        ),
        (
            {
                "revision": "a",
                "traffic": [{"revision": "a", "percent": 100}, {"revision": "b", "percent": 0}],
            },
            "traffic[1].percent",
            "found 0 without a tag",
        ),
        (
            {"revision": "a", "traffic": [{"revision": "a", "percent": 100, "tag": "A"}]},
            "traffic[0].tag",
            "found 'A'",
        ),
        ({"revision": "A"}, "revision", "found 'A'"),
        ({"ready_path": "ready"}, "ready_path", "a path that starts with /"),
        ({"iap": {"service_agent": "a", "members": {}}}, "iap.members", "found an empty mapping"),
    ],
)
def test_wrong_arguments_are_named_with_what_is_allowed(change: Any, path: str, said: str):
    args = cast("CloudRunServiceArgs", {**SERVICE_ARGS, **change})
    found = validate_cloud_run_service("chat", args).found
    assert [problem["property_path"] for problem in found] == [path]
    assert said in found[0]["reason"]
