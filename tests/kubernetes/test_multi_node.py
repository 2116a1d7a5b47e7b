"""A real Kubernetes API server takes a group of pods that span nodes, and admits each of them."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.gateway.client import Client, Manifest
from emulator.gateway.wire import on_the_wire
from tests.engine.conftest import Rehearsal

KINDS = ("Namespace", "ServiceAccount", "ResourceClaimTemplate", "LeaderWorkerSet")
SERVER = "deepseek-v3-h200-us-central1"


@pytest.fixture(scope="module")
def manifests(brought_up: Callable[[str], Rehearsal]) -> list[Manifest]:
    """Return the namespace of one cluster's models, and what a model of two nodes adds to it."""
    rehearsal = brought_up("dev with a model across nodes")
    found = [
        on_the_wire(resource["inputs"])
        for resource in rehearsal.resources()
        if resource["type"].rpartition(":")[2] in KINDS
        and resource["inputs"]["metadata"]["name"] in ("inference", SERVER)
    ]
    return list({(each["kind"], each["metadata"]["name"]): each for each in found}.values())


def pods_of(group: Manifest) -> list[Manifest]:
    """Return the pods the group's controller would create, one of each role."""
    templates: dict[str, Any] = group["spec"]["leaderWorkerTemplate"]
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **templates[role]["metadata"],
                "name": f"{SERVER}-{role.lower()}",
                "namespace": group["metadata"]["namespace"],
            },
            "spec": templates[role]["spec"],
        }
        for role in ("leaderTemplate", "workerTemplate")
    ]


def test_the_group_is_taken_and_its_pods_are_admitted(
    cluster: Client, manifests: list[Manifest]
) -> None:
    ordered = sorted(manifests, key=lambda each: KINDS.index(each["kind"]))
    assert [each["kind"] for each in ordered] == list(KINDS)
    cluster.warnings.clear()
    kept: list[Manifest] = []
    try:
        for manifest in ordered:
            cluster.apply(manifest)
            kept.append(manifest)
        for pod in pods_of(ordered[-1]):
            cluster.create_dry(pod)
        assert cluster.warnings == []
    finally:
        for manifest in reversed(kept):
            cluster.delete(manifest)
