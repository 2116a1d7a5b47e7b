"""The prod stack as it is passes every rule; each bad change to it is caught by the rule meant."""

import copy
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cache
from typing import Any, cast

import pytest

from policies.engine.config import LEVEL
from policies.engine.environment import ENVIRONMENTS, load
from policies.shared.rule import ResourceRule
from resources.resource import Resource
from tests.engine.conftest import ENGINE, Rehearsal
from tests.policies.cases import EXAMPLES
from tests.policies.harness import NOT_APPLICABLE, RULES, check, check_stack

Row = dict[str, Any]
MUTATIONS: dict[str, tuple[str, list[Row]]] = {
    f"{rule}: {name}": (rule, rows if isinstance(rows, list) else [rows])
    for rule, group in EXAMPLES.items()
    for name, rows in group.get("mutations", {}).items()
}
NO_MUTATION = {
    "cost-labels-prescribed": "no environment prescribes values of labels as shipped",
    "cost-prices-current": "no change of a stack makes a price old, only time does",
}


class Stack:
    """The resources of a stack as the engine made them, and what the rules say about them."""

    def __init__(self, environment: str, rows: list[Row]) -> None:
        self.config = load(ENVIRONMENTS / f"{environment}.yaml")
        self.rows = rows
        self._said: dict[str, set[str]] = {}

    def messages(self, rule: str, rows: list[Row]) -> list[str]:
        limits = {k: v for k, v in self.config[rule].items() if k != LEVEL}
        if not isinstance(RULES[rule], ResourceRule):
            return check_stack(rule, policy_resources(rows), limits)
        found: list[str] = []
        for row in rows:
            said = check(rule, row["type"], row["inputs"], limits, protect=row["protect"])
            found += [] if said == NOT_APPLICABLE else [f"{row['name']}: {each}" for each in said]
        return found

    def said(self, rule: str) -> set[str]:
        """Return what the rule says about the stack as it is."""
        if rule not in self._said:
            self._said[rule] = set(self.messages(rule, self.rows))
        return self._said[rule]


def policy_resources(rows: list[Row]) -> list[Resource]:
    return [
        Resource(
            row["type"],
            row["name"],
            row["urn"],
            # Rules of the whole stack see what the cloud has answered as well.
            {**row["inputs"], **row["outputs"]},
            {prop: tuple(urns or ()) for prop, urns in row["wired"].items()},
            row["protect"],
            row["provider"],
        )
        for row in rows
    ]


def read(rehearsal: Rehearsal) -> list[Row]:
    """Return the resources in the state, those of the engine with them."""
    return [
        {
            "type": each["type"],
            "urn": each["urn"],
            "name": each["urn"].rpartition("::")[2],
            "inputs": {k: v for k, v in each.get("inputs", {}).items() if k != "__defaults"},
            "outputs": each.get("outputs", {}),
            "wired": each.get("propertyDependencies") or {},
            "protect": each.get("protect", False),
            # Without its id, as the engine names it to a policy.
            "provider": each.get("provider", "").rpartition("::")[0],
        }
        for each in rehearsal.deployment()["resources"]
    ]


@pytest.fixture(scope="module")
def stack_of(brought_up: Callable[[str], Rehearsal]) -> Callable[[str], Stack]:
    if not ENGINE.exists():
        pytest.skip("NO PULUMI ENGINE: the mutations were NOT tried; run `make setup`")

    @cache
    def make(environment: str) -> Stack:
        return Stack(environment, read(brought_up(environment)))

    return make


@pytest.fixture(scope="module")
def score(request: pytest.FixtureRequest) -> Iterator[dict[str, bool]]:
    caught: dict[str, bool] = {}
    yield caught
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\nmutations: {sum(caught.values())} of {len(caught)} caught")


def put(value: Any, path: list[str], new: Any) -> None:
    """Set the value at a path; what is missing on the way is made."""
    step: Any = int(path[0]) if isinstance(value, list) else path[0]
    if len(path) == 1:
        value[step] = new
        return
    if not isinstance(value, list) and not isinstance(value.get(step), (dict, list)):
        cast("Row", value)[step] = {}
    put(value[step], path[1:], new)


def mutated(rows: list[Row], change: Row) -> list[Row]:
    """Return the stack with one change."""
    if "add" in change:
        urn = f"urn:pulumi:prod::inference::{change['add']['type']}::added-{len(rows)}"
        new: Row = {"urn": urn, "name": "added", "outputs": {}, "wired": {}, "protect": False}
        new["provider"] = ""
        added = change["add"]
        return [*rows, {**new, "type": added["type"], "inputs": copy.deepcopy(added["props"])}]
    fits = [
        index
        for index, row in enumerate(rows)
        if row["type"] == change["of"] and re.fullmatch(change.get("named", ".*"), row["name"])
    ]
    assert fits, f"no {change['of']} named {change.get('named')} in the stack"
    target = copy.deepcopy(rows[fits[0]])
    for path, new in change["set"].items():
        put(target["inputs"], path.split("|"), new)
    target["outputs"] = {}
    target["protect"] = change.get("protect", target["protect"])
    return [*rows[: fits[0]], target, *rows[fits[0] + 1 :]]


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_stack_as_it_is_passes(stack_of: Callable[[str], Stack], environment: str) -> None:
    stack = stack_of(environment)
    for rule in RULES:
        if stack.config[rule][LEVEL] != "disabled":
            assert stack.said(rule) == set(), rule


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation(stack_of: Callable[[str], Stack], score: dict[str, bool], name: str) -> None:
    rule, changes = MUTATIONS[name]
    stack = stack_of("prod")
    base = rows = stack.rows
    for change in changes:
        rows = mutated(rows, change)
        base = rows if change.get("given") else base
    before = stack.said(rule) if base is stack.rows else set(stack.messages(rule, base))
    # A rule of one resource is asked about those that changed, one of the stack about all.
    if isinstance(RULES[rule], ResourceRule):
        unchanged = {id(row) for row in base}
        rows = [row for row in rows if id(row) not in unchanged]
    score[name] = bool(set(stack.messages(rule, rows)) - before)
    assert score[name], f"{rule} says nothing new of {changes} (a path is written a|b|0)"


def test_every_rule_has_a_mutation() -> None:
    assert {rule for rule, _ in MUTATIONS.values()} == set(RULES) - set(NO_MUTATION)
