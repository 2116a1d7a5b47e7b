"""ComputeClass orders node pools, and pools say that they are of it."""

from typing import Any

import pulumi
import pytest

from catalog.conventions import COMPUTE_CLASS_LABEL
from components.cluster.compute_class import ComputeClass, ComputeClassArgs
from components.cluster.gpu_node_pool import GpuNodePool, GpuNodePoolArgs
from tests.unit import examples
from tests.unit.harness import Deploy

CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"
ARGS: ComputeClassArgs = {"node_pools": ["l4", "l4-spot"]}


def _spec(deploy: Deploy) -> dict[str, Any]:
    return deploy(lambda: ComputeClass("best", ARGS)).one(CLASS).inputs["spec"]


def test_each_pool_has_its_place_in_the_order(deploy: Deploy):
    assert _spec(deploy)["priorities"] == [{"nodepools": ["l4"]}, {"nodepools": ["l4-spot"]}]


def test_replicas_move_back_and_no_nodes_come_beside_the_pools(deploy: Deploy):
    spec = _spec(deploy)
    assert spec["activeMigration"] == {"optimizeRulePriority": True}
    assert spec["nodePoolAutoCreation"] == {"enabled": False}
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"


def test_it_is_of_the_whole_cluster(deploy: Deploy):
    assert deploy(lambda: ComputeClass("best", ARGS)).one(CLASS).inputs["metadata"] == {
        "name": "best"
    }


def test_pods_select_it_by_its_name(deploy: Deploy):
    made: list[ComputeClass] = []
    deploy(lambda: made.append(ComputeClass("best", ARGS)))
    assert made[0].node_selector == {COMPUTE_CLASS_LABEL: "best"}


def test_a_pool_of_a_class_takes_its_pods_alone(deploy: Deploy):
    args: GpuNodePoolArgs = examples.arguments("GpuNodePool")
    args["compute_class"] = "best"
    pool = deploy(lambda: GpuNodePool("l4", args)).one("gcp:container/nodePool:NodePool")
    config = pool.inputs["nodeConfig"]
    assert config["labels"] == {COMPUTE_CLASS_LABEL: "best"}
    assert config["taints"] == [
        {"key": COMPUTE_CLASS_LABEL, "value": "best", "effect": "NO_SCHEDULE"}
    ]


@pytest.mark.parametrize(
    ("name", "args", "found"),
    [
        ("best", {"node_pools": []}, "node_pools"),
        ("gke-best", ARGS, "name"),
        ("autopilot", ARGS, "name"),
        ("Best", ARGS, "name"),
    ],
)
def test_wrong_arguments_are_named(deploy: Deploy, name: str, args: ComputeClassArgs, found: str):
    with pytest.raises(pulumi.InputPropertiesError, match=found):
        deploy(lambda: ComputeClass(name, args))
