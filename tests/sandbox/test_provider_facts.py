"""What the provider refuses, replaces and leaves open, the sandbox does as well: by its facts."""

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given

from sandbox.gcp import facts_import
from sandbox.gcp.conditions import CONDITIONS
from sandbox.gcp.constraints import refusals
from sandbox.gcp.facts import FOLDER, default_of, facts_of
from sandbox.gcp.facts_import import known_types
from sandbox.gcp.outputs import filled
from sandbox.providers.gcp import failures_of
from sandbox.sdk_types import ResourceType, resource_type
from sandbox.values import UNKNOWN, Secret, Unknown, Values, is_list, is_map
from tests.sandbox.client import Client

HERE = Path(__file__).parent
NODE_POOL = "gcp:container/nodePool:NodePool"


def _table(name: str) -> Any:
    return yaml.load((HERE / name).read_text(), yaml.CSafeLoader)


REFUSALS = _table("provider_refusals.yaml")
CHANGES = _table("provider_changes.yaml")
UPDATES = _table("provider_updates.yaml")


def _inputs(value: Any) -> Any:
    """Read a table's value: the text UNKNOWN stands for what another resource decides."""
    if is_map(value):
        return {name: _inputs(item) for name, item in value.items()}
    if is_list(value):
        return [_inputs(item) for item in value]
    return (
        {"UNKNOWN": UNKNOWN, "LONG": "x" * 300}.get(value, value)
        if isinstance(value, str)
        else value
    )


def _set(inputs: Any, path: str, value: Any) -> None:
    *outer, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in outer:
        inputs = inputs[step] if isinstance(step, int) else inputs.setdefault(step, {})
    inputs[last] = _inputs(value)


@pytest.mark.parametrize("token", REFUSALS)
def test_inputs_that_the_provider_takes_are_taken(gcp: Client, token: str) -> None:
    assert gcp.checked(token, _inputs(REFUSALS[token]["accepted"]))[1] == []


@pytest.mark.parametrize(
    ("token", "number"),
    [(token, number) for token, row in REFUSALS.items() for number in range(len(row["refused"]))],
)
def test_a_change_that_the_provider_refuses_is_refused_where_it_is_wrong(
    gcp: Client, token: str, number: int
) -> None:
    case = REFUSALS[token]["refused"][number]
    inputs = _inputs(REFUSALS[token]["accepted"])
    for path, value in case["change"].items():
        _set(inputs, path, value)
    failures = gcp.checked(token, inputs)[1]
    assert sorted({failure.path for failure in failures}) == case["at"]
    assert all(token in failure.reason for failure in failures)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_a_change_replaces_where_the_provider_does(gcp: Client, number: int) -> None:
    case = CHANGES[number]
    answer = gcp.diff(case["type"], "id", _inputs(case["from"]), _inputs(case["to"]))
    assert list(answer.replaces) == case["replaces"]


@pytest.mark.parametrize("number", range(len(UPDATES)))
def test_an_update_is_refused_where_the_provider_or_the_api_does(gcp: Client, number: int) -> None:
    case = UPDATES[number]
    token, old, new = case["type"], _inputs(case["from"]), _inputs(case["to"])
    told = {
        each.path for each in gcp.checked(token, new, olds=old)[1] if "missing" not in each.reason
    }
    assert told == ({case["at"]} if case["at"] else set())


def test_what_the_cloud_decided_stays_when_it_is_not_given_any_more(gcp: Client) -> None:
    assert (
        gcp.diff(NODE_POOL, "id", {"nodeCount": 2, "cluster": "c"}, {"cluster": "c"}).changes == 1
    )


def test_what_the_cloud_may_decide_is_unknown_in_a_first_preview(gcp: Client) -> None:
    gcp.enable("container")
    inputs = {"cluster": "c", "nodeConfig": {"diskSizeGb": 50}}
    _, outputs = gcp.create(NODE_POOL, inputs, preview=True)
    assert outputs["nodeConfig"]["diskSizeGb"] == 50
    assert isinstance(outputs["nodeConfig"]["bootDisk"], Unknown)
    assert isinstance(outputs["nodeConfig"]["machineType"], Unknown)
    assert "nodeCount" in outputs


def test_what_the_cloud_decided_is_known_in_the_next_preview() -> None:
    facts = facts_of(NODE_POOL)
    assert facts is not None
    old = {"nodeConfig": {"machineType": "e2-medium"}}
    found = filled(facts.root, {"nodeConfig": {"diskSizeGb": 50}}, old, unknown=True)
    assert found["nodeConfig"]["machineType"] == "e2-medium"


def test_defaults_are_filled_in_save_beside_what_they_conflict_with() -> None:
    facts = facts_of("gcp:compute/route:Route")
    assert facts is not None
    assert filled(facts.root, {}, {})["priority"] == 1000
    assert filled(facts.root, {"priority": 5}, {})["priority"] == 5


@cache
def _properties() -> list[tuple[str, str]]:
    return [
        (token, path)
        for token in known_types()
        if (facts := facts_of(token)) is not None
        for path in facts.by_path
    ]


def _nested(path: str, value: Any) -> Values:
    for step in reversed(path.split(".")):
        name = step.replace("[*]", "")
        for _ in range(step.count("[*]")):
            value = [value]
        value = {name: value}
    return value


@given(data=st.data())
def test_unknown_values_are_never_refused(data: st.DataObject) -> None:
    token, path = data.draw(st.sampled_from(_properties()))
    facts = facts_of(token)
    assert facts is not None
    secret = data.draw(st.booleans())
    inputs = _nested(path, Secret(UNKNOWN) if secret else UNKNOWN)
    found = re.compile(rf"{re.escape(path.replace('[*]', '[0]'))}($|[.\[])")
    told = [each for each in refusals(token, facts, inputs) if found.match(each.path)]
    assert [each for each in told if "missing" not in each.reason] == []


@given(data=st.data())
def test_a_value_of_any_kind_is_answered(data: st.DataObject) -> None:
    token, path = data.draw(st.sampled_from(_properties()))
    kinds = st.text(max_size=9), st.integers(), st.booleans(), st.just([1]), st.just({"a": "b"})
    inputs = _nested(path, data.draw(st.one_of(*kinds)))
    assert all(
        each.path and token in each.reason for each in failures_of(_kind(token), inputs, inputs)
    )


@pytest.mark.parametrize("value", [{"a": "b"}, [{}], "text", 7, True])
def test_what_goes_together_is_asked_of_what_is_of_its_type_alone(value: Any) -> None:
    for token in CONDITIONS:
        kind = _kind(token)
        for name in kind.inputs:
            failures = failures_of(kind, {name: value}, {name: value})
            assert all(token in each.reason for each in failures)


def test_a_secret_is_not_shown(gcp: Client) -> None:
    (failure,) = gcp.checked("gcp:compute/network:Network", {"routingMode": Secret("hush")})[1]
    assert "hush" not in failure.reason


def test_every_type_that_components_make_has_facts() -> None:
    known = {path.stem for path in FOLDER.glob("*.json")}
    missing = {token for token in known_types() if facts_of(token) is None}
    assert len(known) > 25
    assert not {token for token in missing if token.split(":")[1].partition("/")[0] == "compute"}


def test_what_the_schema_calls_secret_comes_back_as_a_secret(gcp: Client) -> None:
    token = "gcp:monitoring/notificationChannel:NotificationChannel"  # noqa: S105 -- a type
    gcp.enable("monitoring")
    inputs = {"type": "slack", "sensitiveLabels": {"authToken": "hush"}}
    _, outputs = gcp.create(token, inputs)
    assert outputs["sensitiveLabels"] == {"authToken": Secret("hush")}


def test_a_type_is_protected_by_the_default_of_its_schema() -> None:
    protected = default_of(_kind("gcp:cloudrunv2/service:Service"), "deletionProtection")
    assert protected is True
    assert default_of(_kind("gcp:redis/instance:Instance"), "deletionProtection") is None


def _kind(token: str) -> ResourceType:
    found = resource_type(token)
    assert found is not None
    return found


def test_what_was_taken_over_stays_when_it_is_taken_over_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "facts"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr(facts_import, "FOLDER", folder)
    monkeypatch.setattr(facts_import, "VERSIONS", folder / "versions.json")
    file = tmp_path / "given.json"
    given = {"props": {"name": {"type": "string", "forceNew": True}}}
    file.write_text(json.dumps({"gcp:redis/cluster:Cluster": given}))
    facts_import.main([str(file)])
    before, after = (
        {
            (each.stem, name): row
            for each in sorted(place.glob("*.json"))
            for name, row in json.loads(each.read_text()).items()
            if each.stem != "versions"
        }
        for place in (FOLDER, folder)
    )
    assert {key for key in before if after.get(key) != before[key]} == {("redis", "Cluster")}
    assert after.keys() == before.keys()


def test_facts_stay_as_they_are_read() -> None:
    """Providers answer calls side by side, and several may ask for the first time."""
    first = facts_of(NODE_POOL)
    facts_of.cache_clear()
    assert facts_of(NODE_POOL) == first
