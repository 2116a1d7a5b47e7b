"""Every option on every environment: it can be made, and what is refused of it is meant.

From each stack of tests/config/matrix to the program under mocks, to the policies with the shipped
environment, and to a real Kubernetes API server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Set
from dataclasses import replace
from functools import cache
from typing import Any, Final, cast

import promql_parser
import pytest
import sqlglot

from catalog.needs import Need, asked_for, needs
from components import COMPONENTS
from config.load import from_mapping
from emulator.gateway.client import Client, Manifest, RefusedError
from emulator.gateway.cluster import RELEASE
from emulator.gateway.wire import on_the_wire
from policies.access.needs import Balance, asked
from policies.engine.config import Settings, read_settings
from policies.engine.packs import ALL, rules_of
from resources.resource import Stack
from sandbox.gcp.facts import facts_of
from sandbox.gcp.outputs import filled
from sandbox.values import UNKNOWN, texts_in
from stacks.platform import build_platform
from tests.config.intended import INTENDED, configured
from tests.config.matrix import ENVIRONMENTS, covered, stacks
from tests.config.options import options
from tests.config.pairs import EXCLUDED, WITH_OTHERS, all_stacks, missing, pair_stacks
from tests.config.samples import ROOT
from tests.kubernetes.test_manifests import WORKLOADS, name_of, pod_of
from tests.programs import vllm_server
from tests.request_path import test_readers as readers
from tests.unit.harness import Cloud, run
from tests.unit.judged import Seen, refused, seen
from tests.unit.reached import Recorder, options_of

CASES: Final = [(each, number) for each in ENVIRONMENTS for number in range(len(stacks(each)))]


@cache
def settings(environment: str, *, allowing: bool) -> Mapping[str, Settings]:
    """Return the environment as shipped, or with all that the table allows."""
    return read_settings(rules_of(ALL), configured(environment, allowing=allowing))


GIVEN: Final = Recorder()
"""The arguments that components were given by the stacks made so far."""


@cache
def made(environment: str, number: int) -> Cloud:
    """Return what the program makes of a stack, under mocks."""
    platform = from_mapping(stacks(environment)[number], f"Pulumi.{environment}.yaml")
    with pytest.MonkeyPatch.context() as monkeypatch:
        GIVEN.watch(monkeypatch)
        return run(lambda: build_platform(platform))


def seen_first(cloud: Cloud) -> list[Seen]:
    """As a first preview: unknown is what the cloud decides, and what is made of that.

    Ids and links stay: the program makes the same ones of names, and one that is unknown in one
    place and known in another is no preview that there is.
    """
    decided = {
        text
        for each in cloud.resources
        for text in texts_in({k: v for k, v in each.outputs.items() if k not in each.inputs})
        if len(text) > 8 and re.search("[/@.:]", text) and each.id not in text
    }
    found: list[Seen] = []
    for each in seen(cloud):
        inputs: Any = _unknown(each.alone.props, decided)
        alone = replace(each.alone, props=inputs)
        facts = facts_of(alone.type)
        computed: Any = filled(facts.root, inputs, {}, unknown=True) if facts else inputs
        found.append(Seen(alone, replace(alone, props=computed)))
    return found


def _unknown(value: Any, decided: Set[str]) -> Any:
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Any]", value)
        return {key: _unknown(each, decided) for key, each in fields.items()}
    if isinstance(value, list):
        return [_unknown(each, decided) for each in cast("list[Any]", value)]
    return UNKNOWN if isinstance(value, str) and any(each in value for each in decided) else value


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_option_and_every_value_stands_in_a_stack(environment: str) -> None:
    lacking = {*options()} - covered(stacks(environment))
    assert not lacking, f"run `python -m tests.config.matrix`: {sorted(map(str, lacking))}"


def test_options_of_two_areas_stand_together_in_a_stack() -> None:
    lacking = missing([*all_stacks(), *pair_stacks()])
    assert {frozenset(map(str, each)) for each in lacking} == EXCLUDED.keys(), (
        "run `python -m tests.config.pairs`"
    )


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=() if number < WITH_OTHERS else pytest.mark.matrix)
        for number in range(len(pair_stacks()))
    ],
)
def test_nothing_is_refused_of_options_that_stand_together(number: int) -> None:
    config = pair_stacks()[number]
    environment = config["environment"]
    platform = from_mapping(config, f"Pulumi.{environment}.yaml")
    cloud = run(lambda: build_platform(platform))
    allowed = settings(environment, allowing=True)
    if vllm_server.PYTHON.exists():
        assert vllm_server.refusals(each.inputs for each in cloud.resources) == {}
    assert refused(seen(cloud), allowed) == []
    assert refused(seen_first(cloud), allowed) == []


def _is_made(component: str) -> bool:
    """Return whether the program makes a component, by itself or within another."""
    called = re.compile(rf"\b{component}\(")
    own = ROOT / COMPONENTS[component].replace(".", "/")
    files = [*(ROOT / "stacks").rglob("*.py"), *(ROOT / "components").rglob("*.py")]
    return any(called.search(each.read_text()) for each in files if each != own.with_suffix(".py"))


@pytest.mark.parametrize("component", [*filter(_is_made, COMPONENTS)])
def test_every_option_of_a_component_is_reached_from_a_stack_file(component: str) -> None:
    for environment, number in CASES:
        made(environment, number)
    assert options_of(component) <= GIVEN.given


@pytest.mark.parametrize(("environment", "number"), CASES)
def test_what_an_environment_allows_is_refused_by_nothing(environment: str, number: int) -> None:
    assert refused(seen(made(environment, number)), settings(environment, allowing=True)) == []


def test_every_refusal_is_meant() -> None:
    found = {
        rule
        for environment, number in CASES
        for rule, _ in refused(
            seen(made(environment, number)), settings(environment, allowing=False)
        )
    }
    assert found == INTENDED.keys()


@pytest.mark.parametrize(("environment", "number"), CASES)
def test_a_first_preview_takes_nothing_unknown_for_a_violation(
    environment: str, number: int
) -> None:
    found = refused(seen_first(made(environment, number)), settings(environment, allowing=True))
    assert found == []


@pytest.mark.parametrize(("environment", "number"), CASES)
def test_what_an_option_needs_is_granted_and_no_grant_can_go(environment: str, number: int) -> None:
    balance = Balance(Stack([each.in_stack for each in seen(made(environment, number))]))
    missing = [
        f"{each.resource.name}: {each.principal} lacks {permissions} on {each.on}"
        for each, permissions in balance.missing()
    ]
    assert missing == []
    # Each is the only one that gives something that is needed.
    alone = {
        givers[0].resource.urn
        for each in balance.wanted
        for permission in each.need.may
        if (
            givers := [one for one in balance.granted if one.serves(each) and one.gives(permission)]
        )
        and len({giver.resource.urn for giver in givers}) == 1
    }
    needless = [
        each.resource.name
        for each in balance.granted
        if balance.judged(each) and each.resource.urn not in alone
    ]
    assert needless == []
    assert [each.resource.name for each, _ in balance.surplus()] == []


def test_every_need_and_every_reason_for_more_is_met_by_a_stack() -> None:
    met: set[Need] = set()
    reasons: set[tuple[str, str]] = set()
    for environment, number in CASES:
        balance = Balance(Stack([each.in_stack for each in seen(made(environment, number))]))
        met |= {each.need for each in balance.wanted}
        reasons |= {
            (each, grant.kind) for grant in balance.granted for each in asked(grant.resource)
        }
    assert {*needs()} - met == set()
    given = {**asked_for(by="component"), **asked_for(by="name")}
    assert {(each, kind) for each, kinds in given.items() for kind in kinds} <= reasons


def test_prometheus_bigquery_and_monitoring_take_what_every_option_makes() -> None:
    resources = [
        {"type": each.type, "inputs": each.inputs}
        for environment, number in CASES
        for each in made(environment, number).resources
    ]
    queries = {
        text
        for each in resources
        for key, type_ in (("query", "AlertPolicy"), ("prometheusQuery", "Dashboard"))
        if each["type"].endswith(f":{type_}")
        for text in readers.texts(each["inputs"], key)
    }
    views = {
        text
        for each in resources
        if each["type"] == "gcp:bigquery/table:Table"
        for text in readers.texts(each["inputs"], "query")
    }
    assert queries
    assert views
    for query in queries:
        promql_parser.parse(query)
    for view in views:
        assert len(sqlglot.parse(view, dialect="bigquery")) == 1
    documents = [*{document for each in resources if (document := readers.monitored(each))}]
    refusals = readers.refusals(documents)
    assert refusals == [None] * len(documents), [*filter(None, refusals)]


@vllm_server.NEEDED
def test_vllm_takes_every_argument_list() -> None:
    objects = [
        each.inputs for environment, number in CASES for each in made(environment, number).resources
    ]
    assert vllm_server.refusals(objects) == {}


def _number(text: str) -> float:
    """Return a number as the engine writes it: mocks know no whole ones."""
    return int(float(text)) if float(text).is_integer() else float(text)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_api_server_takes_every_object_and_admits_its_pods(
    environment: str, cluster: Client
) -> None:
    objects = {
        json.dumps(on_the_wire(each.inputs), sort_keys=True): None
        for number in range(len(stacks(environment)))
        for each in made(environment, number).resources
        if each.type.startswith("kubernetes:") and each.type != RELEASE
    }
    manifests: list[Manifest] = [json.loads(each, parse_float=_number) for each in objects]
    # What others need to be admitted is there; the rest is asked for only.
    needed = {
        (each["kind"], name_of(each), each["metadata"].get("namespace")): each
        for kind in ("CustomResourceDefinition", "Namespace", "ServiceAccount")
        for each in manifests
        if each["kind"] == kind
    }
    for each in needed.values():
        cluster.apply(each, force=True)
    refusals: list[str] = []
    for manifest in manifests:
        cluster.warnings.clear()
        try:
            cluster.apply(manifest, dry_run=True, force=True)
            if manifest["kind"] in WORKLOADS:
                cluster.create_dry(pod_of(manifest))
        except RefusedError as refusal:
            refusals.append(f"{name_of(manifest)}: {refusal}")
        refusals += [f"{name_of(manifest)}: {each}" for each in cluster.warnings]
    for each in reversed([*needed.values()]):
        cluster.delete(each)
    assert not refusals, "\n".join(refusals)
