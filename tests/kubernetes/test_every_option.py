"""Every option on every environment: it can be made, and what is refused of it is meant.

From each stack of tests/config/matrix to the program under mocks, to the policies with the shipped
environment, and to a real Kubernetes API server.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, cast

import pytest

from components import COMPONENTS
from config.load import from_mapping
from emulator.gateway.client import Client, Manifest, RefusedError
from emulator.gateway.cluster import RELEASE
from emulator.gateway.wire import on_the_wire
from policies.engine.config import DISABLED, EXEMPTIONS, LEVEL, Settings, read_settings
from policies.engine.environment import ENVIRONMENTS as FILES
from policies.engine.environment import load
from policies.engine.packs import ALL, rules_of
from sandbox.gcp.facts import facts_of
from sandbox.gcp.outputs import filled
from sandbox.values import UNKNOWN, texts_in
from stacks.platform import build_platform
from tests.config.matrix import ENVIRONMENTS, stacks
from tests.config.options import options, standing
from tests.config.samples import ROOT
from tests.kubernetes.test_manifests import WORKLOADS, name_of, pod_of
from tests.unit.harness import Cloud, run
from tests.unit.judged import Seen, refused, seen
from tests.unit.reached import Recorder, options_of


@dataclass(frozen=True)
class Intent:
    """Why a rule refuses what an option asks for, and what an environment says to allow it."""

    why: str
    allow: Mapping[str, object]
    """Keys of the rule in the environment's file: names are added to those that are there."""


_OFF: Final = {LEVEL: DISABLED}
_WITHOUT: Final = "an environment may go without it"
_SIZE: Final = "how large a stack may grow is the environment's decision"
_PLACE: Final = "where data may be is the environment's decision"
_FOREIGN: Final = "who may come in from elsewhere is the environment's decision"


def _exempt(resource: str, finding: str) -> Mapping[str, object]:
    soon = dt.date.today() + dt.timedelta(days=30)
    who = {"reason": "the option asks for it", "owner": "platform@acme.com"}
    return {EXEMPTIONS: [{"resource": resource, "finding": finding, **who, "expires": str(soon)}]}


_REGIONS: Final = [
    str(each.value) for each in options() if each.path[-1] == "region" and each.value is not None
]
INTENDED: Final[Mapping[str, Intent]] = {
    "ai-guardrail-on-every-path": Intent(
        "what goes unscreened, and what others make, is named",
        {
            "unscreenedModels": ["qwen3-4b", "tone", "large"],
            "foreignServices": ["services", "a-z", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-z"],
            **_exempt("*:*:*::inference-*-extension", "(failOpen)"),
        },
    ),
    "ai-model-armor-on": Intent("what a template screens at least is held", _OFF),
    "cost-budget-present": Intent(_WITHOUT, _OFF),
    "cost-monthly-ceiling": Intent(_SIZE, dict.fromkeys(
        ("maxWorstCaseUsd", "maxExpectedUsd", "maxBaselineUsd"), 10**9
    )),
    "data-destinations": Intent(_PLACE, _OFF),
    "data-residency": Intent(_PLACE, {"allowedLocations": _REGIONS}),
    "iam-no-admin-for-workload-sa": Intent("Google's roles for the operator of Apigee are wide", {
        "allowedRoles": [
            "roles/apigee.admin", "roles/compute.loadBalancerAdmin", "roles/compute.networkAdmin",
            "roles/networkservices.serviceExtensionsAdmin",
        ],
    }),
    "iam-no-cross-project-sa": Intent(_FOREIGN, {"allowedProjects": ["acme-ci"]}),
    "iam-no-domain-wide-members": Intent(_FOREIGN, _OFF),
    "iam-no-foreign-pools": Intent(_FOREIGN, _OFF),
    "iam-temporary-needs-expiry": Intent("people read data for a time, or as a group", _OFF),
    "iam-no-toxic-pair": Intent("a service with secrets leaves by the network: egress: all", _OFF),
    "net-cloudrun-ingress": Intent("a second way in is the environment's decision", {
        "ownAddress": ["INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"],
        **_exempt("gcp:cloudrunv2/service:Service::*-run", "ingress must be"),
    }),
    "net-psc-attachment-explicit": Intent(_FOREIGN, _OFF),
    "net-ways-out": Intent(_FOREIGN, {"projects": ["acme-net"]}),
    "net-vpcsc-perimeter": Intent(_WITHOUT, _OFF),
    "pod-netpol": Intent("gateway.isolated: false leaves the namespace open", _OFF),
    "rel-alerts": Intent(_WITHOUT, _OFF),
    "rel-deletion-protection": Intent("deletion_protection: false is for the environments", _OFF),
    "scale-capacity": Intent(_SIZE, {"maxNodes": 100, "maxGib": 65536}),
    "scale-deploy-replicas": Intent(_SIZE, {"maxReplicas": 1000}),
    "scale-gke-gpu-per-pool": Intent(_SIZE, {"maxGpus": 100000}),
    "scale-gke-pool-bounded": Intent(_SIZE, {"maxNodes": 100000}),
    "scale-gpu-total": Intent(_SIZE, dict.fromkeys(
        ("maxGpus", "maxGpusPerRegion", "maxGpusPerType"), 100000
    )),
    "scale-gpu-types-allowed": Intent(_SIZE, {"gpuTypes": [
        "nvidia-a100-80gb", "nvidia-b200", "nvidia-h100-80gb", "nvidia-h100-mega-80gb",
        "nvidia-h200-141gb", "nvidia-l4", "nvidia-tesla-a100",
    ]}),
    "scale-vertex-replicas": Intent(_SIZE, {"maxReplicas": 100}),
    "sup-image-registry": Intent("whose images run is the environment's decision", {
        "allowedRegistries": [
            "docker.io/acme", "us-docker.pkg.dev/acme", "acme", "vllm",
        ],
    }),
}  # fmt: skip
"""What prod or dev refuses of its options, by rule."""


CASES: Final = [(each, number) for each in ENVIRONMENTS for number in range(len(stacks(each)))]


@cache
def settings(environment: str, *, allowing: bool) -> Mapping[str, Settings]:
    """Return the environment as shipped, or with all that the table allows."""
    config = load(FILES / f"{environment}.yaml")
    for rule, intent in INTENDED.items() if allowing else ():
        for key, value in intent.allow.items():
            there: Any = config[rule].get(key, ())
            config[rule][key] = [*there, *value] if isinstance(value, list) else value
    return read_settings(rules_of(ALL), config)


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
    there = {option for config in stacks(environment) for option in standing(config)}
    missing = {*options()} - there
    assert not missing, f"run `python -m tests.config.matrix`: {sorted(map(str, missing))}"


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
