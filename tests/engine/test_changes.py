"""A preview says what becomes of values, what stops serving, what it costs, and who allows it."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pulumi.automation.events import StepEventMetadata

from launcher import operations
from launcher.changes import changed_values
from launcher.outages import outages
from launcher.problem import LaunchError
from plans.plan import SECRET, plan_of
from tests.engine.conftest import Rehearsal


def step(old: dict[str, Any], new: dict[str, Any], *paths: str) -> StepEventMetadata:
    """Return an event of the engine in which these paths change."""
    states = {key: SimpleNamespace(inputs=inputs) for key, inputs in (("old", old), ("new", new))}
    kind = SimpleNamespace(value="update")
    event = SimpleNamespace(
        op=kind, detailed_diff=dict.fromkeys(paths), diffs=(), keys=(), **states
    )
    return cast("StepEventMetadata", event)


@pytest.mark.parametrize(
    ("old", "new", "path", "told"),
    [
        ({"a": [{"weight": 90}]}, {"a": [{"weight": 10}]}, "a[0].weight", "a[0].weight 90 → 10"),
        ({}, {"on": True}, "on", "on nothing → true"),
        ({"a": {"b.c": "x"}}, {"a": {"b.c": "y"}}, 'a["b.c"]', 'a["b.c"] x → y'),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a", "a"),
        ({"key": SECRET}, {"key": "seen"}, "key", "key"),
        ({"text": "x" * 61}, {"text": "y"}, "text", "text"),
    ],
)
def test_a_change_has_its_values_where_they_are_short_and_no_secret(
    old: dict[str, Any], new: dict[str, Any], path: str, told: str
) -> None:
    assert changed_values(step(old, new, path)) == told


def test_many_changes_are_counted() -> None:
    paths = [f"p{index}" for index in range(6)]
    assert changed_values(step({}, {}, *paths)).endswith("p3, 2 more")


def deployment(component: str, operation: str) -> str:
    """Return what is said of a Deployment of a component."""
    urn = f"urn:pulumi:dev::inference::inference:index:{component}$kubernetes:apps/v1:Deployment::x"
    state: dict[str, Any] = {"inputs": {}, "outputs": {}}
    changed: dict[str, Any] = {
        "type": "kubernetes:apps/v1:Deployment",
        "operation": operation,
        "changed": [],
    }
    steps = {urn: {**changed, "old": state, "new": None if operation == "delete" else state}}
    wiring: dict[str, Any] = {"needs": {}, "properties": {}}
    return outages(plan_of({"stack": "dev", "steps": steps, "now": wiring, "then": wiring}))


def test_replicas_that_end_are_named_and_others_are_not() -> None:
    assert "! Deployment x is deleted: its replicas end" in deployment("ModelServer", "delete")
    assert "! Deployment x is replaced" in deployment("ModelServer", "replace")
    assert deployment("ModelServer", "update") == ""
    assert deployment("EndpointPicker", "delete") == ""


def test_a_refused_preview_still_says_what_it_would_do_and_what_it_would_cost(
    brought_up: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsal = brought_up("prod")

    def change(config: dict[str, Any]) -> None:
        sets = config["models"]["llama-3.3-70b"]["replica_sets"]
        sets[0]["weight"], sets[1]["weight"] = 80, 20
        config["models"]["llama-3.1-8b"]["replica_sets"][0]["name"] = "anew"
        config["gpu_pools"]["l4"] |= {"capacity": "spot", "max_nodes": 50}

    rehearsal.edit(change)
    capsys.readouterr()
    with pytest.raises(LaunchError) as refused:
        operations.preview(rehearsal.places)
    told = capsys.readouterr().out
    assert "[spec.rules[0].backendRefs[0].weight 90 → 80, " in told
    assert "! Deployment llama-3-1-8b-l4-us-central1-deployment is deleted" in told
    assert "! NodePool l4-us-east4-pool is replaced, and with it Deployment" in told
    assert "Expected cost a month: $" in told
    said = str(refused.value)
    assert "What is meant so is allowed in policies/environments/prod.yaml, below rules:" in said
    assert "\n  scale-gke-pool-bounded: level, maxNodes" in said
