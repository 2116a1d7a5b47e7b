"""What an update does, from the engine's events."""

from plans.duration import duration, format_minutes
from plans.quota import needs
from tests.plans.documents import CLUSTER, COMPONENT, NETWORK, POOL, Document, gpu_pool, urn


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
    assert (found.least, found.most) == (6 + 2, 12 + 6)


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
