"""What a config can route and protect beyond the environments' own, on the real engine."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from launcher import operations
from launcher.problem import LaunchError
from tests.engine.conftest import Rehearsal

POLICY = "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy"
ON_ENDPOINT = "gcp:vertex/aiEndpointIamMember:AiEndpointIamMember"
BACKEND_POLICY = "kubernetes:networking.gke.io/v1:GCPBackendPolicy"
EXTENSION = "kubernetes:networking.gke.io/v1:GCPTrafficExtension"
OBJECTIVE = "kubernetes:inference.networking.x-k8s.io/v1alpha2:InferenceObjective"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
VLLM = "vllm/vllm-openai:v0.26.0@sha256:" + "a" * 64
PROTECTED: dict[str, Any] = {
    "deny": ["10.200.0.128/25"],
    "rate_limit": {"requests": 600},
    "waf": ["sqli", "xss"],
    "waf_preview": True,
}


def _changed(config: dict[str, Any]) -> None:
    model = config["models"]["qwen3-4b"]
    model["replica_sets"][0]["weight"] = 90
    model["external"] = [{"name": "vertex", "vertex_ai": {"endpoint": "4711"}, "weight": 10}]
    model["guardrail"] = "none"
    config["guardrails"] = {}
    config["models"]["partner-llm"] = {
        "guardrail": "none",
        "external": [{"name": "partner", "https": {"host": "llm.partner.example"}}],
    }
    config["edge_protection"] = PROTECTED
    config["images"] = {"vllm": VLLM}


@pytest.fixture(scope="module")
def stack(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(_changed)
    rehearsal.allow_unscreened("qwen3-4b", "partner-llm")
    operations.up(rehearsal.places, skip_preview=True)
    return rehearsal


def _named(stack: Rehearsal, type_: str) -> dict[str, dict[str, Any]]:
    return {each["inputs"]["metadata"]["name"]: each["inputs"] for each in stack.resources(type_)}


def test_a_model_is_shared_with_vertex_ai_and_another_answered_elsewhere(stack: Rehearsal) -> None:
    backends = {
        name: [
            (backend["kind"], backend["name"], backend["weight"])
            for backend in route["spec"]["rules"][0]["backendRefs"]
        ]
        for name, route in _named(stack, ROUTE).items()
    }
    assert backends == {
        "qwen3-4b": [
            ("InferencePool", "qwen3-4b-l4-spot", 90),
            ("Service", "qwen3-4b-vertex-us-central1", 10),
        ],
        "partner-llm": [("Service", "partner-llm-partner-us-central1", 100)],
    }
    (grant,) = stack.resources(ON_ENDPOINT)
    assert grant["inputs"]["endpoint"] == "4711"


def test_one_policy_is_before_every_backend_of_the_gateway(stack: Rehearsal) -> None:
    (policy,) = stack.resources(POLICY)
    attached = {
        name: spec["spec"]["default"].get("securityPolicy")
        for name, spec in _named(stack, BACKEND_POLICY).items()
    }
    assert len(attached) == 3
    assert set(attached.values()) == {policy["inputs"]["name"]}
    assert stack.resources(EXTENSION) == []


def test_an_image_of_the_config_comes_through_the_mirror_with_its_digest(stack: Rehearsal) -> None:
    pod = _named(stack, DEPLOYMENT)["qwen3-4b-l4-spot-us-central1"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == (
        f"us-central1-docker.pkg.dev/acme-inference-dev/inference-us-central1-docker-hub/{VLLM}"
    )


def test_every_objective_names_the_pool_in_its_own_group(stack: Rehearsal) -> None:
    assert {name: each["spec"] for name, each in _named(stack, OBJECTIVE).items()} == {
        "qwen3-4b-l4-spot-batch": {
            "poolRef": {
                "group": "inference.networking.k8s.io",
                "kind": "InferencePool",
                "name": "qwen3-4b-l4-spot",
            },
            "priority": -10,
        }
    }


def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out


def test_protection_taken_away_is_detached_and_then_deleted(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs last in this module."""
    stack.edit(lambda config: config.pop("edge_protection"))
    operations.up(stack.places, skip_preview=True)
    printed = capsys.readouterr().out
    detached = [found.start() for found in re.finditer(r"^  ~ .*GCPBackendPolicy", printed, re.M)]
    deleted = re.search(r"^  - .*RegionSecurityPolicy", printed, re.M)
    assert deleted
    assert len(detached) == 3
    assert max(detached) < deleted.start()
    assert stack.resources(POLICY) == []
    policies = _named(stack, BACKEND_POLICY).values()
    assert not [each for each in policies if "securityPolicy" in each["spec"]["default"]]


def test_a_policy_beside_a_guardrail_stops_before_the_engine_starts(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(lambda config: config.update(edge_protection=PROTECTED))
    with pytest.raises(LaunchError, match=r"edge_protection: found a Cloud Armor policy beside"):
        operations.up(rehearsal.places)
    assert not rehearsal.places.checkpoint.exists()
