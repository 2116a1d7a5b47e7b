"""A real API server takes a compute class as the component makes it, and none GKE would refuse."""

import copy
from typing import Any

import pytest

from components.cluster.compute_class import ComputeClass
from emulator.gateway.client import Client, Manifest, RefusedError
from emulator.gateway.wire import on_the_wire
from tests.unit.harness import run


def _made() -> Manifest:
    cloud = run(lambda: ComputeClass("best", {"node_pools": ["l4", "l4-spot"]}))
    return on_the_wire(dict(cloud.one("kubernetes:cloud.google.com/v1:ComputeClass").inputs))


def test_a_class_is_taken_without_a_warning(cluster: Client):
    cluster.warnings.clear()
    cluster.apply(_made(), dry_run=True)
    assert cluster.warnings == []


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("metadata", {"name": "gke-best"}, "can't begin with gke"),
        ("spec", {"priorities": [{"nodepools": ["l4"], "spot": True}]}, "priorities"),
        ("spec", {"whenUnsatisfiable": "Wait"}, "whenUnsatisfiable"),
    ],
)
def test_a_class_that_gke_would_refuse_is_refused(
    cluster: Client, part: str, change: dict[str, Any], reason: str
):
    manifest = copy.deepcopy(_made())
    manifest[part] |= change
    with pytest.raises(RefusedError, match=reason):
        cluster.apply(manifest, dry_run=True)
