"""The nodes that stand while nothing scales out: what replicas need that are always there."""

from typing import Any

import pytest
from pulumi.runtime.rpc import UNKNOWN

from resources.resource import Resource
from resources.standing import standing_nodes
from tests.plans.documents import POOL, gpu_pool

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
GROUPS = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
CLASS = "kubernetes:cloud.google.com/v1:ComputeClass"


def _resource(token: str, name: str, inputs: dict[str, Any]) -> Resource:
    return Resource(token, name, f"urn:pulumi:dev::inference::{token}::{name}", inputs)


def _pool(
    name: str, machine: str, least: int, most: object, labels: dict[str, str] | None = None
) -> Resource:
    inputs = gpu_pool(0, machine, labels=labels or {})
    inputs["autoscaling"] = {"totalMinNodeCount": least, "totalMaxNodeCount": most}
    return _resource(POOL, name, {**inputs, "name": name})


def _template(gpus: object, selector: object) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": gpus} if gpus else {"cpu": "1"}
    container = {"name": "vllm", "image": "vllm", "resources": {"limits": limits}}
    return {"spec": {"nodeSelector": selector, "containers": [container]}}


def _on(pool: str) -> dict[str, str]:
    return {"cloud.google.com/gke-nodepool": pool}


def _deployment(name: str, replicas: object, gpus: object, selector: object) -> Resource:
    spec = {"replicas": replicas, "template": _template(gpus, selector)}
    return _resource(DEPLOYMENT, name, {"metadata": {"name": name}, "spec": spec})


def _nodes(*resources: Resource) -> dict[str, float]:
    return {urn.rpartition(":")[2]: count for urn, count in standing_nodes(resources).items()}


def test_fixed_replicas_keep_nodes_of_a_pool_that_may_be_empty():
    pool = _pool("l4", "g2-standard-24", 0, 6)
    assert _nodes(pool) == {"l4": 0}
    assert _nodes(pool, _deployment("one", 3, "1", _on("l4"))) == {"l4": 2}
    assert _nodes(pool, _deployment("one", 3, 2, _on("l4"))) == {"l4": 3}


def test_partitions_of_a_gpu_take_one_pod_each():
    accelerator = {"type": "nvidia-a100-80gb", "count": 1, "gpuPartitionSize": "2g.20gb"}
    inputs = gpu_pool(0, "a2-ultragpu-1g")
    inputs["nodeConfig"]["guestAccelerators"] = [accelerator]
    inputs["autoscaling"] = {"totalMinNodeCount": 0, "totalMaxNodeCount": 6}
    pool = _resource(POOL, "a100", {**inputs, "name": "a100"})
    assert _nodes(pool, _deployment("small", 4, 1, _on("a100"))) == {"a100": 2}


def test_the_minimum_of_a_pool_counts_where_it_is_more():
    assert _nodes(_pool("l4", "g2-standard-24", 4, 6), _deployment("a", 3, 1, _on("l4"))) == {
        "l4": 4
    }


def test_pods_of_several_sizes_share_nodes():
    some = [_deployment(f"of-{gpus}", 1, gpus, _on("h100")) for gpus in (1, 2, 4, 1)]
    assert _nodes(_pool("h100", "a3-highgpu-8g", 0, 2), *some) == {"h100": 1}
    assert _nodes(
        _pool("h100", "a3-highgpu-8g", 0, 9), *some, _deployment("five", 2, 5, _on("h100"))
    ) == {"h100": 3}


def test_an_autoscaler_says_the_fewest():
    target = {"kind": "Deployment", "name": "one"}
    scaler = _resource(
        AUTOSCALER, "one", {"spec": {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 9}}
    )
    pool = _pool("l4", "g2-standard-8", 0, 9)
    assert _nodes(pool, scaler, _deployment("one", 7, 1, _on("l4"))) == {"l4": 2}
    assert _nodes(pool, scaler, _deployment("other", 7, 1, _on("l4"))) == {"l4": 7}


def test_a_replica_that_spans_nodes_needs_all_of_them():
    template = {"size": 2, "workerTemplate": _template(8, _on("h200"))}
    groups = _resource(GROUPS, "large", {"spec": {"replicas": 2, "leaderWorkerTemplate": template}})
    assert _nodes(_pool("h200", "a3-ultragpu-8g", 0, 4), groups) == {"h200": 4}


def test_a_pool_has_no_more_nodes_than_it_may():
    pool = _pool("l4", "g2-standard-8", 0, 2)
    assert _nodes(pool, _deployment("one", 10**9, 1, _on("l4"))) == {"l4": 2}


@pytest.mark.parametrize(
    ("replicas", "gpus", "selector"),
    [
        (UNKNOWN, 1, _on("l4")),
        (1, 0, _on("l4")),
        (1, 1, _on("other")),
        (1, 1, {}),
        (1, 1, UNKNOWN),
        (1, 2, _on("l4")),
        (0, 1, _on("l4")),
    ],
)
def test_what_needs_no_node_of_a_pool_keeps_none(replicas: object, gpus: object, selector: object):
    pool = _pool("l4", "g2-standard-8", 0, 2)
    assert _nodes(pool, _deployment("one", replicas, gpus, selector)) == {"l4": 0}


def test_of_a_compute_class_the_first_pool_with_room_takes_a_pod():
    label = {"cloud.google.com/compute-class": "best"}
    pools = [_pool("a", "g2-standard-8", 0, 4, label), _pool("b", "g2-standard-8", 0, 2, label)]
    rules = [{"nodepools": ["b"]}, {"nodepools": ["a"]}]
    best = _resource(CLASS, "best", {"metadata": {"name": "best"}, "spec": {"priorities": rules}})
    some = _deployment("one", 3, 1, label)
    assert _nodes(*pools, best, some) == {"a": 1, "b": 2}
    assert _nodes(pools[0], best, some) == {"a": 3}
