"""A real Kubernetes API server takes every object of every environment, and gives it up again."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from emulator.gateway.client import Client, Manifest, RefusedError
from emulator.gateway.cluster import clusters as stack_clusters
from emulator.gateway.definitions import described
from tests.engine.conftest import Rehearsal

SELF_CHANGING = {"APIService", "CustomResourceDefinition"}
"""Kinds whose status the API server changes by itself."""
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}


@pytest.fixture(scope="module", params=["dev", "prod", "dev with services"])
def clusters(
    request: pytest.FixtureRequest, brought_up: Callable[[str], Rehearsal]
) -> list[tuple[Manifest, ...]]:
    """Return what the environment's rehearsal made in each of its clusters, dependencies first."""
    return [each.manifests for each in stack_clusters(brought_up(request.param).resources())]


@pytest.fixture
def leftovers(cluster: Client) -> Iterator[list[Manifest]]:
    """Yield objects that are deleted even if the test fails, the last first."""
    objects: list[Manifest] = []
    yield objects
    for manifest in reversed(objects):
        cluster.delete(manifest)


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def content(stored: Manifest) -> Manifest:
    """Return the object without the time of its last apply, which a custom resource always gets
    anew."""
    bookkeeping = {"managedFields", "resourceVersion"}
    metadata = {k: v for k, v in stored["metadata"].items() if k not in bookkeeping}
    return {**stored, "metadata": metadata}


def refusals(cluster: Client, manifests: Sequence[Manifest], kept: list[Manifest]) -> list[str]:
    """Apply all, in their order, and say which the server did not take or warned about."""
    refused: list[str] = []
    for manifest in manifests:
        cluster.warnings.clear()
        try:
            cluster.apply(manifest)
        except RefusedError as refusal:
            refused.append(f"{name_of(manifest)}: {refusal}")
        else:
            kept.append(manifest)
        refused += [f"{name_of(manifest)}: {warning}" for warning in cluster.warnings]
    return refused


def pod_of(workload: Manifest) -> Manifest:
    """Return the pod that the workload's controller would create."""
    template: dict[str, Any] = workload["spec"]["template"]
    metadata = {
        **template["metadata"],
        "name": f"{workload['metadata']['name']}-0",
        "namespace": workload["metadata"]["namespace"],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def refused_pods(cluster: Client, manifests: Sequence[Manifest]) -> list[str]:
    refused: list[str] = []
    for manifest in manifests:
        if manifest["kind"] in WORKLOADS:
            try:
                cluster.create_dry(pod_of(manifest))
            except RefusedError as refusal:
                refused.append(f"pod of {name_of(manifest)}: {refusal}")
    return refused


def test_every_object_is_taken_its_pods_admitted_and_all_of_it_deleted(
    cluster: Client, clusters: list[tuple[Manifest, ...]], leftovers: list[Manifest]
) -> None:
    assert clusters
    for manifests in clusters:
        refused = refusals(cluster, manifests, leftovers)
        refused += refused_pods(cluster, manifests)
        assert not refused, "\n".join(refused)
        while leftovers:
            cluster.delete(leftovers[-1])
            leftovers.pop()


def test_applying_again_changes_nothing(
    cluster: Client, clusters: list[tuple[Manifest, ...]], leftovers: list[Manifest]
) -> None:
    manifests = clusters[0]
    first: list[Manifest] = []
    for manifest in manifests:
        first.append(cluster.apply(manifest))
        leftovers.append(manifest)
    for manifest, before in zip(manifests, first, strict=True):
        if manifest["kind"] not in SELF_CHANGING:
            assert content(cluster.apply(manifest)) == content(before), name_of(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "Gateway", "HTTPRoute", "InferencePool"])
def test_a_field_that_a_kind_does_not_have_is_refused(
    cluster: Client, clusters: list[tuple[Manifest, ...]], leftovers: list[Manifest], kind: str
) -> None:
    manifests = clusters[0]
    namespace = next(m for m in manifests if m["kind"] == "Namespace")
    cluster.apply(namespace)
    leftovers.append(namespace)
    wrong = copy.deepcopy(next(m for m in manifests if m["kind"] == kind))
    wrong["spec"]["inventedField"] = True
    with pytest.raises(RefusedError, match="inventedField"):
        cluster.apply(wrong)


@pytest.mark.parametrize("description", described(), ids=lambda d: d["spec"]["names"]["kind"])
def test_every_description_of_a_kind_is_a_definition_that_a_cluster_takes(
    api_server: Client, description: Manifest
) -> None:
    # Under a group of its own: the published definition of the same kind may be there.
    group = "rehearsal.example.com"
    renamed = copy.deepcopy(description)
    renamed["spec"]["group"] = group
    renamed["metadata"]["name"] = f"{renamed['spec']['names']['plural']}.{group}"
    api_server.create_dry(renamed)
