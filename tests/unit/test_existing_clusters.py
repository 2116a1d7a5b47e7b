"""A cluster that is there is held against what the platform needs and what the packs ask of one."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
import pytest

from catalog import strict_yaml
from config.load import from_file
from config.platform import Platform
from policies.engine.config import LEVEL
from policies.engine.environment import ENVIRONMENTS, load
from policies.shared.rule import ResourceRule
from sandbox.existing import put, read
from sandbox.gcp.functions import invoke
from sandbox.gcp.request import ProviderConfig
from sandbox.sdk_shapes import ListOf, ObjectOf, Property, Scalar
from sandbox.sdk_types import resource_type
from sandbox.world import World
from stacks.existing_clusters import FACTS, check_clusters
from stacks.facts import Fact
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.policies.harness import RULES, check
from tests.unit.harness import Deploy

TYPE: Final = "gcp:container/cluster:Cluster"
LOOK_UP: Final = "gcp:container/getCluster:getCluster"
PLATFORM: Final = from_file(ROOT / "Pulumi.estate.yaml")
SEEDS: Final[Any] = strict_yaml.load((ROOT / "sandbox.estate.yaml").read_text())
(SHARED,) = SEEDS["existing"]["container.Cluster"]
PLACE: Final = {key: SHARED[key] for key in ("name", "location", "project")}
# Whose cluster it is decides about its labels, its protection and its other nodes.
OWNERS: Final = frozenset({"cost-labels", "cost-labels-prescribed", "rel-deletion-protection"})
OTHER_NODES: Final = frozenset({"nodeConfig", "nodePools", "clusterAutoscaling"})
WITH_ALL: Final = PLATFORM.model_copy(
    update={
        "cluster": PLATFORM.cluster.model_copy(update={"binary_authorization": True}),
        "models": {
            name: model.model_copy(
                update={
                    "gated": True,
                    "replica_sets": tuple(
                        each.model_copy(update={"max_replicas": 2}) for each in model.replica_sets
                    ),
                }
            )
            for name, model in PLATFORM.models.items()
        },
    }
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("existing")
    with World(folder / "world.db") as opened:
        yield opened


@pytest.fixture
def answer(world: World) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what the cloud answers of a cluster, by its inputs."""

    def ask(cluster: dict[str, Any]) -> dict[str, Any]:
        seeds = {**SEEDS["existing"], "container.Cluster": [cluster]}
        put(world, read({"existing": seeds}), ())
        return invoke(world, ProviderConfig(PLACE["project"]), LOOK_UP, PLACE)

    return ask


def said(deploy: Deploy, found: dict[str, Any], platform: Platform = PLATFORM) -> list[str]:
    """Return what is refused of a cluster, without what all have in common."""

    def program() -> None:
        check_clusters(platform, gcp.Provider("google"))

    try:
        deploy(program, answers={LOOK_UP: found})
    except pulumi.RunError as error:
        lines = str(error).splitlines()
        return [line.removeprefix("Pulumi.test.yaml: regions.us-central1.") for line in lines]
    return []


def _camel(path: str) -> str:
    return re.sub("_([a-z0-9])", lambda match: match[1].upper(), path)


def broken(found: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return an answer with another value at a path."""
    changed = copy.deepcopy(found)
    place: Any = changed
    *steps, last = _camel(path).split(".")
    for step in steps:
        place[step] = place.get(step) or [{}]
        place = place[step][0]
    place[last] = value
    return changed


def test_that_of_the_estate_fits(deploy: Deploy, answer: Callable[..., dict[str, Any]]):
    assert said(deploy, answer(SHARED)) == []


def test_one_that_keeps_a_replica_is_too_old_for_none(
    deploy: Deploy, answer: Callable[..., dict[str, Any]]
):
    model = PLATFORM.models["qwen3-4b"]
    (replica_set,) = model.replica_sets
    idle = replica_set.model_copy(update={"replicas": 0, "max_replicas": 1})
    models = {"qwen3-4b": model.model_copy(update={"replica_sets": (idle,)})}
    platform = PLATFORM.model_copy(update={"models": {**PLATFORM.models, **models}})
    found = broken(answer(SHARED), "master_version", "1.36.4-gke.100")
    (line,) = said(deploy, found, platform)
    assert "allowed: 1.37 or later, whose autoscalers go to replicas: 0;" in line
    assert line.endswith("--cluster-version=1.37`")


def test_what_the_cloud_does_not_tell_passes(deploy: Deploy):
    cloud = deploy(lambda: build_platform(PLATFORM))
    assert not cloud.all(TYPE)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.path)
def test_a_cluster_that_lacks_it(fact: Fact, deploy: Deploy, answer: Callable[..., dict[str, Any]]):
    other = not fact.allowed[0] if isinstance(fact.allowed[0], bool) else "OTHER"
    with_encryption = WITH_ALL.model_copy(update={"encryption": object()})
    good = broken(answer(SHARED), "database_encryptions.state", "ENCRYPTED")
    good = broken(good, "binary_authorizations.evaluation_mode", "PROJECT_SINGLETON_POLICY_ENFORCE")
    assert said(deploy, good, with_encryption) == []
    (line,) = said(deploy, broken(good, fact.path, other), with_encryption)
    assert line.startswith(f"existing.cluster: found 'shared', whose {fact.path} is ")
    if fact.flags:
        place = "shared --project=acme-inference-estate --location=us-central1"
        assert line.endswith(f"`gcloud container clusters update {place} {fact.flags}`")
    else:
        assert line.endswith("nothing changes that: name another, or leave it out for one")


@pytest.mark.parametrize("fact", [each for each in FACTS if not each.unset], ids=lambda x: x.path)
def test_a_cluster_that_does_not_set_it(
    fact: Fact, deploy: Deploy, answer: Callable[..., dict[str, Any]]
):
    found = answer(SHARED)
    block = _camel(fact.path).split(".")[0]
    lines = said(deploy, {**found, block: []}, WITH_ALL.model_copy(update={"encryption": object()}))
    assert any(fact.path in line for line in lines)


@pytest.mark.parametrize(
    "fact",
    [each for each in FACTS if not each.needed(PLATFORM, "us-central1")],
    ids=lambda x: x.path,
)
def test_what_nothing_needs_may_be_missing(
    fact: Fact, deploy: Deploy, answer: Callable[..., dict[str, Any]]
):
    assert said(deploy, broken(answer(SHARED), fact.path, "OTHER")) == []


CASES: Final = Path(__file__).with_name("existing_clusters.yaml")
OTHERS: Final[Any] = strict_yaml.load(CASES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", OTHERS)
def test_a_cluster(case: str, deploy: Deploy, answer: Callable[..., dict[str, Any]]):
    given = OTHERS[case]
    found = broken(answer(SHARED), given["path"], given["value"])
    assert said(deploy, found) == [" ".join(given["says"].split())]


def test_network_policies_of_an_older_kind_are_enforced_too(
    deploy: Deploy, answer: Callable[..., dict[str, Any]]
):
    legacy = broken(answer(SHARED), "datapath_provider", "LEGACY_DATAPATH")
    (line,) = said(deploy, legacy)
    assert "whose datapath_provider is LEGACY_DATAPATH;" in line
    assert said(deploy, broken(legacy, "network_policies.enabled", True)) == []


def _leaves(of: dict[str, Property], depth: int = 4) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield switches and texts of a cluster, with each value that they may be changed to."""
    for name, each in of.items():
        shape = each.shape.item if isinstance(each.shape, ListOf) else each.shape
        if name in OTHER_NODES:
            continue
        if isinstance(shape, ObjectOf) and depth:
            for path, value in _leaves(dict(shape.properties), depth - 1):
                yield (name, *path), value
        elif shape == Scalar("boolean"):
            yield from (((name,), value) for value in (True, False))


def _changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    cluster = copy.deepcopy(SHARED)
    place: Any = cluster
    for step in path[:-1]:
        place = place.setdefault(step, {})
        if not isinstance(place, dict):
            return SHARED
    place[path[-1]] = value
    return cluster


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in SHARED.items() if key != name}


def _refused_by_packs(cluster: dict[str, Any]) -> set[str]:
    config = load(ENVIRONMENTS / "estate.yaml")
    # Its nodes are others', and judged as node pools where they are the stack's.
    props = {**cluster, "removeDefaultNodePool": True}
    return {
        rule.id
        for rule in RULES.values()
        if isinstance(rule, ResourceRule)
        and rule.id not in OWNERS
        and config[rule.id][LEVEL] == "mandatory"
        and rule.applies(TYPE)
        and check(rule.id, TYPE, props, config[rule.id])
    }


def test_what_the_packs_refuse_of_a_cluster_is_refused_here(
    deploy: Deploy, answer: Callable[..., dict[str, Any]]
):
    cluster_type = resource_type(TYPE)
    assert cluster_type is not None
    assert _refused_by_packs(SHARED) == set()
    changes = {path: _changed(path, value) for path, value in _leaves(dict(cluster_type.inputs))}
    changes |= {(name,): _without(name) for name in SHARED.keys() - PLACE.keys()}
    missed: dict[str, set[str]] = {}
    judged = 0
    for path, cluster in changes.items():
        if refused := _refused_by_packs(cluster):
            judged += 1
            if not said(deploy, answer(cluster)):
                missed[".".join(path)] = refused
    assert judged
    assert missed == {}
