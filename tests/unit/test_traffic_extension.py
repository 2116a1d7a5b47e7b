"""The chain of a Gateway: every path, in order, closed on failure, and nothing a cloud refuses."""

from copy import deepcopy
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.inference.extensions import EVENTS, Extension, extension_spec
from components.inference.model_armor_guardrail import ModelArmorGuardrail
from components.inference.traffic_extension import (
    TrafficExtension,
    TrafficExtensionArgs,
    validate_traffic_extension,
)
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GUARDRAIL
from tests.unit.request_chain_arguments import CHAIN, MANAGEMENT, SCREENING
from tests.unit.test_manifests import check_fits

EXTENSION = "kubernetes:networking.gke.io/v1:GCPTrafficExtension"
TEMPLATE = "gcp:modelarmor/template:Template"


def _deploy(deploy: Deploy, *extensions: Extension) -> Cloud:
    args = cast("TrafficExtensionArgs", {**CHAIN, "extensions": extensions})
    return deploy(lambda: TrafficExtension("region", args).extension_name)


def _chain(cloud: Cloud) -> dict[str, Any]:
    (chain,) = cloud.one(EXTENSION).inputs["spec"]["extensionChains"]
    return chain


def test_one_chain_takes_every_path_of_the_gateway(deploy: Deploy):
    cloud = _deploy(deploy, MANAGEMENT, SCREENING)
    assert cloud.one(EXTENSION).inputs["spec"]["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}
    ]
    assert _chain(cloud)["matchCondition"] == {
        "celExpressions": [{"celMatcher": 'request.path.startsWith("/")'}]
    }
    assert cloud.value == "region-traffic"


def test_requests_pass_the_services_in_their_order(deploy: Deploy):
    found = [each["name"] for each in _chain(_deploy(deploy, MANAGEMENT, SCREENING))["extensions"]]
    assert found == ["api-management", "guardrail"]
    found = [each["name"] for each in _chain(_deploy(deploy, SCREENING, MANAGEMENT))["extensions"]]
    assert found == ["guardrail", "api-management"]


def test_each_kind_of_service_is_called_as_the_load_balancer_wants(deploy: Deploy):
    armor: Extension = {"name": "armor", "google_api": "modelarmor.us.rep.googleapis.com"}
    apigee, service, google = _chain(_deploy(deploy, MANAGEMENT, SCREENING, armor))["extensions"]
    assert apigee["backendRef"] == {
        "group": "apim.googleapis.com",
        "kind": "ApigeeBackendService",
        "name": "apigee",
        "port": 443,
    }
    assert "authority" not in apigee
    assert service["backendRef"] == {"group": "", "kind": "Service", "name": "nemo", "port": 50051}
    assert service["authority"] == "nemo"
    assert google["googleAPIServiceName"] == "modelarmor.us.rep.googleapis.com"
    assert "backendRef" not in google


@given(st.sampled_from([MANAGEMENT, SCREENING]), st.booleans())
def test_a_service_that_does_not_answer_closes_the_way_unless_it_says_otherwise(
    extension: Extension, chosen: bool
):
    assert extension_spec(extension)["failOpen"] is False
    assert extension_spec({**extension, "fail_open": chosen})["failOpen"] is chosen


def test_all_parts_are_sent_and_waited_for_as_long_as_allowed():
    spec = extension_spec(SCREENING)
    assert tuple(spec["supportedEvents"]) == EVENTS
    assert spec["timeout"] == "10s"
    assert extension_spec({**SCREENING, "timeout_seconds": 0.25})["timeout"] == "250ms"


def test_bodies_are_held_back_whole_both_ways_where_asked():
    spec = extension_spec(SCREENING)
    assert spec["requestBodySendMode"] == "FullDuplexStreamed"
    assert spec["responseBodySendMode"] == "FullDuplexStreamed"
    chunks = extension_spec({**SCREENING, "whole_bodies": False})
    assert "requestBodySendMode" not in chunks


def test_the_chain_waits_for_what_its_services_need(deploy: Deploy):
    def program() -> None:
        guardrail = ModelArmorGuardrail("armor", GUARDRAIL)
        TrafficExtension("region", {**CHAIN, "extensions": [guardrail.extension]})

    cloud = deploy(program)
    assert cloud.all(TEMPLATE)
    for template in cloud.all(TEMPLATE):
        assert cloud.requires(cloud.one(EXTENSION), template)


_EXTENSIONS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "api-management", "A", "x" * 64, "-"])},
    optional={
        "google_api": st.just("modelarmor.us.rep.googleapis.com"),
        "service": st.just({"name": "nemo", "port": 50051}),
        "apigee_backend": st.just("apigee"),
        "whole_bodies": st.booleans(),
        "fail_open": st.booleans(),
        "timeout_seconds": st.one_of(st.integers(-1, 11), st.floats(0, 11)),
    },
)


@given(st.lists(_EXTENSIONS, max_size=4))
def test_what_is_not_told_is_what_the_cluster_takes(extensions: list[Extension]):
    args = cast("TrafficExtensionArgs", {**CHAIN, "extensions": extensions})
    if validate_traffic_extension("region", args).found:
        return
    specs = [extension_spec(each) for each in extensions]
    chain = {"name": "every-request", "extensions": specs}
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}
    check_fits(
        "networking.gke.io/v1",
        "GCPTrafficExtension",
        {"targetRefs": [target], "extensionChains": [chain]},
    )
    for spec in specs:
        milliseconds = float(spec["timeout"].removesuffix("ms").removesuffix("s"))
        if not spec["timeout"].endswith("ms"):
            milliseconds *= 1000
        assert 10 <= milliseconds <= 10_000


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"extensions": []}, "extensions", "found an empty list; allowed: one"),
        (
            {"extensions": [{**SCREENING, "name": name} for name in "abcd"]},
            "extensions",
            "found 4 entries; allowed: one to 3",
        ),
        (
            {"extensions": [SCREENING, SCREENING]},
            "extensions[1].name",
            "found 'guardrail' again",
        ),
        ({"extensions": [{"name": "a"}]}, "extensions[0]", "found no backend; allowed: one of"),
        (
            {"extensions": [{**SCREENING, "apigee_backend": "b"}]},
            "extensions[0]",
            "found service and apigee_backend; allowed: one of",
        ),
        (
            {"extensions": [{**SCREENING, "name": "Guard_rail"}]},
            "extensions[0].name",
            "found 'Guard_rail'; allowed: 1 to 63",
        ),
        (
            {"extensions": [{**SCREENING, "timeout_seconds": 0.001}]},
            "extensions[0].timeout_seconds",
            "found 0.001; allowed: a number from 0.1 to 10 seconds",
        ),
        (
            {"extensions": [{**SCREENING, "timeout_seconds": 11}]},
            "extensions[0].timeout_seconds",
            "found 11; allowed: a number from 0.1 to 10 seconds",
        ),
    ],
)
def test_what_a_load_balancer_refuses_is_told(changes: dict[str, Any], path: str, reason: str):
    args = cast("TrafficExtensionArgs", {**deepcopy(CHAIN), **changes})
    found = validate_traffic_extension("region", args).found
    assert [each for each in found if each["property_path"] == path], found
    assert any(each["reason"].startswith(reason) for each in found), found
