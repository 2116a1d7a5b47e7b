"""Inputs against the types of the installed SDKs."""

import random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sandbox import sdk_types
from sandbox.check import Checker, Failure
from sandbox.values import UNKNOWN, Secret, Values

SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
TOKENS = [*sdk_types.tokens("gcp"), *sdk_types.tokens("kubernetes")]
# Drawn once: importing the modules of every type would take minutes and gigabytes.
SAMPLE = random.Random(7).sample(TOKENS, 40)  # noqa: S311 -- not for security


def check(token: str, inputs: Values) -> list[Failure]:
    found = sdk_types.resource_type(token)
    assert found is not None
    return Checker(token, lenient=token.startswith("gcp:")).check(inputs, found.inputs)


def test_an_unknown_property_is_refused_with_path_token_and_suggestion() -> None:
    (failure,) = check(SUBNETWORK, {"network": "n", "ipCidrRang": "10.0.0.0/8"})
    assert failure.path == "ipCidrRang"
    assert SUBNETWORK in failure.reason
    assert "did you mean 'ipCidrRange'?" in failure.reason


def test_all_failures_are_reported_at_once_with_nested_paths() -> None:
    failures = check(
        SUBNETWORK,
        {
            "network": ["n"],
            "secondaryIpRanges": [{"rangeName": "a"}, {"nonsense": 1}],
            "logConfig": {"flowSampling": "lots"},
        },
    )
    assert [failure.path for failure in failures] == [
        "network",
        "secondaryIpRanges[1].nonsense",
        "secondaryIpRanges[1].rangeName",
        "logConfig.flowSampling",
    ]


def test_a_missing_required_property_is_reported() -> None:
    (failure,) = check(SUBNETWORK, {})
    assert failure == Failure("network", f"missing required property 'network' of {SUBNETWORK}")


def test_a_wrong_type_names_what_was_found_and_what_is_allowed() -> None:
    (failure,) = check(SUBNETWORK, {"network": "n", "privateIpGoogleAccess": "maybe"})
    assert "found 'maybe', allowed: a boolean" in failure.reason


def test_unknown_values_pass_and_secrets_are_looked_into() -> None:
    assert check(SUBNETWORK, {"network": UNKNOWN, "logConfig": Secret(UNKNOWN)}) == []
    (failure,) = check(SUBNETWORK, {"network": Secret({"a": 1})})
    assert failure.path == "network"


def test_google_accepts_text_for_numbers_and_kubernetes_does_not() -> None:
    assert (
        check("gcp:pubsub/subscription:Subscription", {"topic": "t", "ackDeadlineSeconds": "20"})
        == []
    )
    template = {"spec": {"containers": [{"name": "a", "ports": [{"containerPort": "80"}]}]}}
    (failure,) = check(DEPLOYMENT, {"spec": {"selector": {}, "template": template}})
    assert failure.path == "spec.template.spec.containers[0].ports[0].containerPort"


def test_quantities_may_be_numbers() -> None:
    resources = {"limits": {"nvidia.com/gpu": 1}, "requests": {"cpu": 2}}
    template = {"spec": {"containers": [{"name": "a", "resources": resources}]}}
    assert check(DEPLOYMENT, {"spec": {"selector": {}, "template": template}}) == []


def test_a_closed_set_is_enforced() -> None:
    failures = check("kubernetes:core/v1:ConfigMap", {"apiVersion": "v2", "kind": "ConfigMap"})
    assert "allowed: v1" in failures[0].reason


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(token=st.sampled_from(SAMPLE))
def test_empty_inputs_report_exactly_the_required_properties(token: str) -> None:
    found = sdk_types.resource_type(token)
    assert found is not None
    required = {prop.name for prop in found.inputs.values() if prop.required}
    assert {failure.path for failure in check(token, {})} == required


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    token=st.sampled_from(SAMPLE),
    inputs=st.dictionaries(
        st.sampled_from(["name", "labels", "spec", "project", "nonsense"]),
        st.one_of(
            st.none(), st.just(UNKNOWN), st.text(), st.lists(st.integers()), st.just({"a": {}})
        ),
    ),
)
def test_whatever_comes_in_the_checker_answers(token: str, inputs: Values) -> None:
    assert all(failure.path and failure.reason for failure in check(token, inputs))


@pytest.mark.parametrize("token", SAMPLE)
def test_every_type_has_outputs_and_readable_documentation(token: str) -> None:
    found = sdk_types.resource_type(token)
    assert found is not None
    assert all(output.name for output in found.outputs.values())
    assert isinstance(found.import_formats, tuple)
    assert all(found.documented_default(name) != "" for name in found.inputs)


def test_secret_outputs_come_from_the_sdk() -> None:
    key = sdk_types.resource_type("gcp:serviceaccount/key:Key")
    assert key is not None
    assert key.secret_outputs == {"privateKey"}


def test_a_token_that_is_none_has_no_type() -> None:
    assert sdk_types.resource_type("gcp:compute/nothing:Nothing") is None
    assert sdk_types.resource_type("aws:s3/bucket:Bucket") is None
    assert sdk_types.function_type("gcp:nothing/getIt:getIt") is None
