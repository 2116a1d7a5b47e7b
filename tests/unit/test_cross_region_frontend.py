"""CrossRegionFrontend: one address in each region, answered by the nearest region that works."""

from typing import Any, cast

import pytest

from components.network.cross_region_frontend import (
    CrossRegionFrontend,
    CrossRegionFrontendArgs,
    validate_cross_region_frontend,
)
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

GROUP = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
SERVICE = "gcp:compute/backendService:BackendService"
PROXY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
REGIONS = ("us-central1", "us-east4")
ARGS: CrossRegionFrontendArgs = examples.arguments("CrossRegionFrontend")


def _deploy(deploy: Deploy, args: CrossRegionFrontendArgs = ARGS) -> Cloud:
    return deploy(lambda: CrossRegionFrontend("front", args))


def test_each_region_is_a_private_service_connect_backend(deploy: Deploy):
    cloud = _deploy(deploy)
    for region in REGIONS:
        group = cloud.one(GROUP, f"front-{region}-backend").inputs
        assert group["networkEndpointType"] == "PRIVATE_SERVICE_CONNECT"
        assert group["pscTargetService"] == ARGS["service_attachments"][region]
        assert (group["network"], group["region"]) == (ARGS["network"], region)
        assert group["subnetwork"] == ARGS["subnetworks"][region]
    service = cloud.one(SERVICE).inputs
    assert [each["group"] for each in service["backends"]] == [
        group.outputs["selfLink"] for group in cloud.all(GROUP)
    ]


def test_requests_stay_encrypted_and_may_take_long(deploy: Deploy):
    service = _deploy(deploy).one(SERVICE).inputs
    assert service["protocol"] == "HTTPS"
    assert service["loadBalancingScheme"] == "INTERNAL_MANAGED"
    assert service["timeoutSec"] == 600
    assert service["logConfig"]["enable"] is True


def test_a_region_that_fails_is_left_out_until_one_is_left(deploy: Deploy):
    detection = _deploy(deploy).one(SERVICE).inputs["outlierDetection"]
    assert detection["enforcingConsecutiveGatewayFailure"] == 100
    assert 50 <= detection["maxEjectionPercent"] < 100


def test_outlier_detection_can_be_left_out(deploy: Deploy):
    service = _deploy(deploy, {**ARGS, "outlier_detection": False}).one(SERVICE)
    assert "outlierDetection" not in service.inputs


def test_only_https_with_the_certificate_of_all_regions(deploy: Deploy):
    cloud = _deploy(deploy)
    proxy = cloud.one(PROXY)
    assert proxy.inputs["certificateManagerCertificates"] == [ARGS["certificate"]]
    tls = cloud.one("gcp:compute/sSLPolicy:SSLPolicy")
    assert proxy.inputs["sslPolicy"] == tls.outputs["selfLink"]
    assert tls.inputs["minTlsVersion"] == "TLS_1_2"
    rules = cloud.all(RULE)
    assert len(rules) == len(REGIONS)
    for rule in rules:
        assert rule.inputs["portRange"] == "443"
        assert rule.inputs["loadBalancingScheme"] == "INTERNAL_MANAGED"
        assert rule.inputs["target"] == proxy.outputs["selfLink"]


def test_a_new_attachment_is_a_new_backend_of_that_region_alone(deploy: Deploy):
    def names(args: CrossRegionFrontendArgs) -> list[str]:
        return [group.inputs["name"] for group in _deploy(deploy, args).all(GROUP)]

    east = {**ARGS["generations"], "us-east4": "rule-2"}
    old, new = names(ARGS), names({**ARGS, "generations": east})
    assert old[0] == new[0]
    assert old[1] != new[1]


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (
            {"subnetworks": {}},
            "subnetworks",
            (
                "found an empty mapping; allowed: one entry or more; give a subnet of a published "
                "region"
            ),
        ),
        (
            {"subnetworks": {"asia-east1": "s"}},
            "subnetworks.asia-east1",
            "found 'asia-east1'; allowed: us-central1, us-east4; did you mean 'us-east4'?",
        ),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], path: str, reason: str):
    args = cast("CrossRegionFrontendArgs", {**ARGS, **change})
    assert validate_cross_region_frontend(args).found == [{"property_path": path, "reason": reason}]
