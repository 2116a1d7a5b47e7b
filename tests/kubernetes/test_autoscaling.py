"""A running set of replicas keeps its size while an autoscaler comes, works and goes."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from components.inference.model_server import ModelServer, ModelServerArgs
from emulator.gateway.client import FIELD_MANAGER, Client, Manifest
from emulator.gateway.wire import on_the_wire
from tests.unit.harness import Recorded, run
from tests.unit.inference_arguments import OPEN_SERVER

RUNNING = 5
FIXED: ModelServerArgs = {**OPEN_SERVER, "replicas": RUNNING}
SCALED: ModelServerArgs = {**OPEN_SERVER, "replicas": 2, "max_replicas": 9}
NAMESPACE: Manifest = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": OPEN_SERVER["namespace"]},
}


@pytest.fixture
def namespace(cluster: Client) -> Iterator[None]:
    cluster.apply(NAMESPACE)
    yield
    cluster.delete(on_the_wire(dict(deployment(FIXED).inputs)))
    cluster.delete(NAMESPACE)


def deployment(args: ModelServerArgs) -> Recorded:
    return run(lambda: ModelServer("server", args)).one("kubernetes:apps/v1:Deployment")


class Provider:
    """Applies a resource as Pulumi's provider does, with what it ignores and what it forces.

    An ignored field that another manager alone has is left out; else it keeps its live value:
    https://github.com/pulumi/pulumi-kubernetes, provider/pkg/await/await.go, handleSSAIgnoreFields.
    """

    def __init__(self, cluster: Client) -> None:
        self.cluster = cluster

    def apply(self, resource: Recorded) -> Manifest:
        manifest = copy.deepcopy(on_the_wire(dict(resource.inputs)))
        path = self.cluster.path(manifest)
        live = self.cluster.request("GET", path) if self.cluster.exists(path) else None
        if live is not None and "spec.replicas" in resource.ignore_changes:
            if owners(live) in (set(), {FIELD_MANAGER}):
                manifest["spec"]["replicas"] = live["spec"]["replicas"]
            else:
                del manifest["spec"]["replicas"]
        annotations = manifest["metadata"].get("annotations", {})
        return self.cluster.apply(
            manifest, force=annotations.get("pulumi.com/patchForce") == "true"
        )


def owners(live: Manifest) -> set[str]:
    """Return the managers of the number of replicas."""
    return {
        entry["manager"]
        for entry in live["metadata"]["managedFields"]
        if "f:replicas" in entry["fieldsV1"].get("f:spec", {})
    }


def scale(cluster: Client, manifest: Manifest, replicas: int) -> None:
    """Do what the autoscaler's controller does."""
    path = f"{cluster.path(manifest)}/scale"
    current = cluster.request("GET", path)
    current["spec"]["replicas"] = replicas
    cluster.request("PUT", f"{path}?fieldManager=kube-controller-manager", current)


def replicas(applied: Manifest) -> int:
    return applied["spec"]["replicas"]


@pytest.mark.usefixtures("namespace")
def test_replicas_stay_while_an_autoscaler_comes_works_and_goes(cluster: Client) -> None:
    provider = Provider(cluster)
    fixed, scaled = deployment(FIXED), deployment(SCALED)
    assert replicas(provider.apply(fixed)) == RUNNING
    assert replicas(provider.apply(scaled)) == RUNNING, "autoscaling is turned on"
    scale(cluster, on_the_wire(dict(scaled.inputs)), 7)
    assert replicas(provider.apply(scaled)) == 7, "an update while the autoscaler works"
    assert replicas(provider.apply(fixed)) == RUNNING, "autoscaling is turned off"


@pytest.mark.usefixtures("namespace")
def test_a_new_set_begins_with_the_least(cluster: Client) -> None:
    assert replicas(Provider(cluster).apply(deployment(SCALED))) == SCALED.get("replicas")


@pytest.mark.usefixtures("namespace")
def test_a_number_that_is_left_out_becomes_one(cluster: Client) -> None:
    """The trap itself."""
    manifest: dict[str, Any] = on_the_wire(dict(deployment(FIXED).inputs))
    cluster.apply(manifest)
    del manifest["spec"]["replicas"]
    assert replicas(cluster.apply(manifest)) == 1
