"""The nodes of each pool that stand while nothing scales out.

A pool keeps its minimum, and what the replicas need that are always there: those of a workload
without an autoscaler, the fewest of one with it. Pods are counted by their accelerators alone, on
pools that have some, and packed as the scheduler may: into what is free, the largest pods first.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from catalog.conventions import (
    COMPUTE_CLASS_LABEL,
    NODE_POOL_LABEL,
    TPU_LABEL,
    TPU_TOPOLOGY_LABEL,
)
from catalog.machines import MACHINE_TYPES
from resources.gpus import NODE_POOL, node_gpus, pods_per_gpu
from resources.kubernetes import kind_of, objects
from resources.node_pools import max_nodes, min_nodes
from resources.properties import MISSING, UNKNOWN, Absence, elements, get, number, text
from resources.quantities import accelerators
from resources.resource import Resource
from resources.selectors import Labels, labels

_SCALED: Final = frozenset({"apps/Deployment", "apps/StatefulSet", "apps/ReplicaSet"})
_GROUPS: Final = "leaderworkerset.x-k8s.io/LeaderWorkerSet"
_AUTOSCALER: Final = "autoscaling/HorizontalPodAutoscaler"
_COMPUTE_CLASS: Final = "cloud.google.com/ComputeClass"
# Kind, namespace and name of a workload.
_Key = tuple[object, object, object]


@dataclass(frozen=True)
class _Pods:
    """Pods that are alike: the accelerators of each, and which nodes take them."""

    gpus: float
    count: float
    selector: Labels


@dataclass
class _Nodes:
    """Nodes of a pool, and how many of them have how many accelerators free."""

    gpus: float
    count: float
    most: float
    free: Counter[float] = field(default_factory=Counter[float])

    def place(self, gpus: float, pods: float) -> float:
        """Place pods on what is free, then on new nodes; return how many find no room."""
        pods = self._fill(gpus, pods)
        if pods and self.gpus >= gpus:
            new = min(math.ceil(pods / (self.gpus // gpus)), max(self.most - self.count, 0))
            self.count += new
            self.free[self.gpus] += int(new)
            pods = self._fill(gpus, pods)
        return pods

    def _fill(self, gpus: float, pods: float) -> float:
        for free in sorted(each for each in self.free if each >= gpus):
            each = free // gpus
            placed = min(pods, self.free[free] * each)
            full, rest = divmod(placed, each)
            self.free[free] -= math.ceil(placed / each)
            self.free[free - each * gpus] += int(full)
            self.free[free - rest * gpus] += 1 if rest else 0
            pods -= placed
        return pods


def standing_nodes(resources: Iterable[Resource]) -> Mapping[str, float]:
    """Return the nodes of each node pool by its URN; without its minimum where that isn't known.

    Of the pools of a compute class the first that has room takes a pod.
    """
    given = list(resources)
    pools = [each for each in given if each.type == NODE_POOL]
    nodes = {each.urn: _nodes(each) for each in pools}
    order = _order(given)
    for pods in sorted(_standing(given), key=lambda each: -each.gpus):
        left = pods.count
        for pool in _taking(pools, pods.selector, order):
            left = nodes[pool.urn].place(pods.gpus, left)
    return {urn: each.count for urn, each in nodes.items()}


def _nodes(pool: Resource) -> _Nodes:
    least, most = min_nodes(pool.props), max_nodes(pool.props)
    config = get(pool.props, "nodeConfig")
    gpus = [each.count for each in node_gpus(config)]
    size = sum(each for each in gpus if isinstance(each, float)) * pods_per_gpu(config)
    fewest = least if isinstance(least, float) else 0.0
    bound = most if isinstance(most, float) else math.inf
    fewest = min(fewest, bound)
    return _Nodes(size, fewest, bound, Counter({size: int(fewest)}))


def _taking(
    pools: Sequence[Resource], selector: Labels, order: Mapping[object, Sequence[object]]
) -> Sequence[Resource]:
    """Return the pools whose nodes have the labels that pods select, in the order of their
    class."""
    if selector is UNKNOWN or not selector:
        return ()
    found = [each for each in pools if selector.items() <= _node_labels(each).items()]
    places = order.get(selector.get(COMPUTE_CLASS_LABEL), ())
    named = [each for each in found if text(each.props, "name") in places]
    named.sort(key=lambda each: places.index(text(each.props, "name")))
    return [*named, *(each for each in found if each not in named)]


def _node_labels(pool: Resource) -> Mapping[str, str | Absence]:
    own = labels(pool.props, "nodeConfig", "labels")
    return {
        **({} if own is UNKNOWN else own),
        **_tpu_labels(pool),
        NODE_POOL_LABEL: text(pool.props, "name"),
    }


def _tpu_labels(pool: Resource) -> Mapping[str, str]:
    """Return what GKE tells of the TPUs of a pool."""
    name = text(pool.props, "nodeConfig", "machineType")
    machine = MACHINE_TYPES.get(name) if isinstance(name, str) else None
    if machine is None or not machine.is_tpu:
        return {}
    topology = text(pool.props, "placementPolicy", "tpuTopology")
    return {
        TPU_LABEL: machine.gpu_type,
        TPU_TOPOLOGY_LABEL: topology if isinstance(topology, str) else machine.topologies[0],
    }


def _order(resources: Iterable[Resource]) -> Mapping[object, Sequence[object]]:
    """Return the names of the node pools of each compute class, the best first."""
    return {
        text(each, "metadata", "name"): [
            name
            for rule in elements(each, "spec", "priorities")
            for name in elements(rule, "nodepools")
        ]
        for resource in resources
        if kind_of(resource.type) == _COMPUTE_CLASS
        for each in objects(resource.type, resource.props)
    }


def _standing(resources: Iterable[Resource]) -> Iterator[_Pods]:
    """Yield the pods that are always there and need accelerators."""
    given = list(resources)
    fewest = _fewest(given)
    for resource in given:
        kind = kind_of(resource.type)
        if kind not in _SCALED and kind != _GROUPS:
            continue
        for each in objects(resource.type, resource.props):
            replicas = fewest.get(_key(kind, each), number(each, "spec", "replicas"))
            count = 1.0 if replicas is MISSING else replicas
            if isinstance(count, float):
                yield from _of_replicas(each, count)


def _of_replicas(workload: object, replicas: float) -> Iterator[_Pods]:
    template = get(workload, "spec", "template", "spec")
    group = get(workload, "spec", "leaderWorkerTemplate")
    size = number(group, "size")
    followers = size - 1.0 if isinstance(size, float) and size else 0.0
    worker = get(group, "workerTemplate", "spec")
    leader = get(group, "leaderTemplate", "spec")
    first = template if group is MISSING else worker if leader is MISSING else leader
    for spec, each in ((first, 1.0), (worker, followers)):
        if gpus := _gpus(spec):
            yield _Pods(gpus, replicas * each, labels(spec, "nodeSelector"))


def _fewest(resources: Iterable[Resource]) -> Mapping[_Key, float | Absence]:
    """Return the fewest replicas of the workloads that autoscalers scale."""
    found: defaultdict[_Key, float | Absence] = defaultdict(lambda: 1.0)
    for resource in resources:
        if kind_of(resource.type) == _AUTOSCALER:
            for each in objects(resource.type, resource.props):
                target = get(each, "spec", "scaleTargetRef")
                home = text(each, "metadata", "namespace")
                least = number(each, "spec", "minReplicas")
                key = (text(target, "kind"), home, text(target, "name"))
                found[key] = 1.0 if least is MISSING else least
    return dict(found)


def _key(kind: str, workload: object) -> _Key:
    home, name = (text(workload, "metadata", each) for each in ("namespace", "name"))
    return kind.rpartition("/")[2], home, name


def _gpus(spec: object) -> float:
    found = map(accelerators, elements(spec, "containers"))
    return sum(each for each in found if isinstance(each, float))
