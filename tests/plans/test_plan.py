"""What an update does, from the engine's events."""

from pathlib import Path

import pytest
import yaml

from plans.duration import duration, format_minutes
from plans.quota import needs
from tests.plans.documents import CLUSTER, COMPONENT, NETWORK, POOL, Document, gpu_pool, urn

ROOT = Path(__file__).parents[2]


def test_events_of_one_replacement_are_one_step_with_both_sides() -> None:
    document = Document()
    for operation, old, new in (
        ("create-replacement", None, {"spot": False}),
        ("replace", {"spot": True}, {"spot": False}),
        ("delete-replaced", {"spot": True}, None),
    ):
        document.step(operation, POOL, "l4", old, new, changed=["spot"])
    (step,) = document.plan().changes
    assert step.operation == "replace"
    assert step.values("spot") == (True, False)


def test_a_value_is_found_by_the_engines_path() -> None:
    document = Document()
    old = {"spec": {"rules": [{"a.b": {"weight": 90}}]}}
    new = {"spec": {"rules": [{"a.b": {"weight": 10}}]}}
    document.step("update", POOL, "l4", old, new, changed=['spec.rules[0]["a.b"].weight'])
    (step,) = document.plan().changes
    assert step.values(step.changed[0]) == (90, 10)


def test_what_needs_something_replaced_goes_with_it() -> None:
    document = Document()
    cluster = document.step("replace", CLUSTER, "main", {}, {})
    document.step("replace", POOL, "l4", {}, {}, needs=[cluster])
    other = document.step("delete", NETWORK, "alone", {})
    plan = document.plan()
    assert [each.name for each in plan.with_it(plan.by_urn[cluster])] == ["l4"]
    assert plan.with_it(plan.by_urn[other]) == ()


def test_a_change_belongs_to_the_outermost_component() -> None:
    document = Document()
    stack = document.step("same", "pulumi:pulumi:Stack", "inference-dev", {}, {})
    outer = document.step("same", COMPONENT, "outer", {}, {}, parent=stack)
    inner = document.step("same", COMPONENT, "inner", {}, {}, parent=outer)
    document.step("update", POOL, "l4", {}, {}, parent=inner)
    plan = document.plan()
    assert plan.component_of(plan.changes[0]) == "GpuNodePool outer"


def test_time_is_that_of_the_longest_chain_also_through_what_stays() -> None:
    document = Document()
    cluster = document.step("create", CLUSTER, "main", None, {})
    between = document.step("same", COMPONENT, "between", {}, {}, needs=[cluster])
    document.step("create", POOL, "one", None, {}, needs=[between])
    document.step("create", POOL, "two", None, {}, needs=[between])
    found = duration(document.plan())
    assert [each.type for each in found.chain] == [CLUSTER, POOL]
    rows = yaml.safe_load((ROOT / "catalog" / "durations.yaml").read_text())["minutes"]
    slow = [rows[each]["create"] for each in (CLUSTER, POOL)]
    assert [found.least, found.most] == [sum(side) for side in zip(*slow, strict=True)]
    first, second = found.links
    assert (first.waits_for, second.waits_for) == (None, first.step)
    # The other pool still waits.
    assert second.gain == 0


def test_a_wait_costs_what_would_end_sooner_without_it() -> None:
    document = Document()
    cluster = document.step("create", CLUSTER, "main", None, {})
    between = document.step("create", COMPONENT, "between", None, {}, needs=[cluster])
    document.step("create", POOL, "one", None, {}, needs=[between])
    found = duration(document.plan())
    _, second = found.links
    lengths = [each.end[1] - each.begin[1] for each in found.steps.values()]
    assert second.gain == pytest.approx(sum(lengths) - lengths[0] - lengths[1])


def test_what_is_deleted_goes_last_and_what_needs_it_before_it() -> None:
    document = Document()
    cluster = document.step("delete", CLUSTER, "main", {})
    pool = document.step("delete", POOL, "one", {}, needs=[cluster])
    made = document.step("create", POOL, "two", None, {})
    found = duration(document.plan())
    begins = [found.steps[each].begin for each in (made, pool, cluster)]
    assert begins == sorted(begins)
    assert [each.operation for each in found.chain] == ["create", "delete", "delete"]


def test_nobody_waits_for_what_says_so() -> None:
    document = Document()
    server = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}}
    document.step("create", "kubernetes:apps/v1:Deployment", "server", None, server)
    assert duration(document.plan()).most < 1


def test_each_time_has_its_source_and_grows() -> None:
    table = yaml.safe_load((ROOT / "catalog" / "durations.yaml").read_text())["minutes"]
    for token, row in table.items():
        assert row.pop("source"), token
        assert row.keys() <= {"create", "update", "delete"}, token
        assert all(0 < least <= most for least, most in row.values()), token


def test_a_loop_of_needs_ends() -> None:
    document = Document()
    document.step("create", POOL, "one", None, {}, needs=[urn(POOL, "two")])
    document.step("create", POOL, "two", None, {}, needs=[urn(POOL, "one")])
    assert duration(document.plan()).most > 0


def test_spans_are_told_in_minutes() -> None:
    assert format_minutes(0, 0.5) == "less than a minute"
    assert format_minutes(3.2, 3.4) == "3 minutes"
    assert format_minutes(0.2, 12.4) == "1 to 12 minutes"


def test_gpus_need_quota_by_region_type_and_kind_of_quota() -> None:
    document = Document()
    document.step("update", POOL, "l4", gpu_pool(2), gpu_pool(6))
    document.step("create", POOL, "spot", None, gpu_pool(3, spot=True))
    plan = document.plan()
    found = [
        (each.type, each.capacity, each.before, each.after)
        for each in needs(plan.before, plan.after)
    ]
    assert found == [("nvidia-l4", "standard", 2, 6), ("nvidia-l4", "preemptible", 0, 3)]


def test_a_number_of_gpus_that_isnt_known_yet_is_no_number() -> None:
    document = Document()
    unknown = gpu_pool(1) | {"autoscaling": "[secret]"}
    document.step("create", POOL, "l4", None, unknown)
    (need,) = needs(document.plan().before, document.plan().after)
    assert need.after is None
