"""Teams: what is a team's is in its namespace, the gateway is in nobody's."""

from __future__ import annotations

from functools import cache
from typing import Any

from config.load import from_file
from stacks.platform import build_platform
from tests.config.samples import ROOT
from tests.unit.harness import Cloud, run

ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
OF_A_MODEL = ("HTTPRoute", "InferencePool", "LeaderWorkerSet", "GCPBackendPolicy")
GRANT = "gcp:projects/iAMMember:IAMMember"


@cache
def estate() -> Cloud:
    platform = from_file(ROOT / "Pulumi.estate.yaml")
    return run(lambda: build_platform(platform))


def _metadata(kind: str) -> list[tuple[str, str]]:
    objects = [each for each in estate().resources if each.type.startswith("kubernetes:")]
    found = [each.inputs["metadata"] for each in objects if each.type.endswith(kind)]
    return [(each["namespace"], each["name"]) for each in found]


def test_everything_of_a_model_is_in_its_teams_namespace() -> None:
    found = {kind: set(_metadata(f":{kind}")) for kind in OF_A_MODEL}
    assert found["HTTPRoute"] == {
        ("inference-research", "qwen2-5-72b"),
        ("inference-apps", "qwen3-4b"),
    }
    places = {namespace for kind in OF_A_MODEL for namespace, _ in found[kind]}
    assert places == {"inference-research", "inference-apps"}


def test_the_gateway_takes_routes_of_the_teams_and_its_own() -> None:
    (gateway,) = estate().all(GATEWAY)
    (listener,) = gateway.inputs["spec"]["listeners"]
    (row,) = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert row["key"] == "kubernetes.io/metadata.name"
    assert row["values"] == ["inference", "inference-apps", "inference-research"]
    parents: list[Any] = [each.inputs["spec"]["parentRefs"] for each in estate().all(ROUTE)]
    assert all(parent["namespace"] == "inference" for (parent,) in parents)


def test_no_member_has_a_right_beside_the_gateway() -> None:
    places = {place for place, name in _metadata("/v1:RoleBinding") if name == "team-members"}
    assert places == {"inference-research", "inference-apps"}


def test_members_reach_clusters_and_no_more_by_iam() -> None:
    roles = {
        each.inputs["role"] for each in estate().all(GRANT) if "group:" in each.inputs["member"]
    }
    assert roles == {"roles/container.clusterViewer"}
