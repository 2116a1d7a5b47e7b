"""Autoscaled replicas find a GPU."""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.gpus import gpu_demand, pods_per_gpu
from resources.pods import containers, makes_pods
from resources.properties import MISSING, Absence, entries, get, number, show, text
from resources.quantities import accelerators
from resources.resource import Resource
from resources.wiring import referenced_names

_MAXIMA: Final = {
    "kubernetes:autoscaling/v1:HorizontalPodAutoscaler": "maxReplicas",
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": "maxReplicas",
    "kubernetes:keda.sh/v1alpha1:ScaledObject": "maxReplicaCount",
}
_GROUPS: Final = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"


def _replica_gpus(workload: Resource) -> float:
    """Return GPUs of one replica: of a pod, or of a leader with all its workers."""
    if workload.type != _GROUPS:
        return sum(
            count
            for _, each in containers(workload.type, workload.props)
            if isinstance(count := accelerators(each), float)
        )
    template = get(workload.props, "spec", "leaderWorkerTemplate")
    size = number(template, "size")
    pods = size if isinstance(size, float) and size > 1 else 1.0
    worker = _template_gpus(get(template, "workerTemplate"))
    led = get(template, "leaderTemplate")
    return (worker if led is MISSING else _template_gpus(led)) + worker * (pods - 1)


def _template_gpus(template: object) -> float:
    found = entries(template, "spec", "containers")
    counts = map(accelerators, found if isinstance(found, tuple) else ())
    return sum(count for count in counts if isinstance(count, float))


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    demands = [
        demand.count
        if isinstance(demand.count, Absence)
        else demand.count * pods_per_gpu(get(each.props, "nodeConfig"))
        for each in resources
        if each.type in ("gcp:container/nodePool:NodePool", "gcp:container/cluster:Cluster")
        for demand in gpu_demand(each)
    ]
    supply = sum(count for count in demands if isinstance(count, float))
    # Pools elsewhere, or of a size not known, may hold the rest.
    if not demands or any(isinstance(count, Absence) for count in demands):
        return
    workloads = {
        name: each
        for each in resources
        if makes_pods(each.type)
        for name in referenced_names(each, "metadata", "name")
    }
    for each in resources:
        if each.type not in _MAXIMA:
            continue
        most = number(each.props, "spec", _MAXIMA[each.type])
        target = text(each.props, "spec", "scaleTargetRef", "name")
        workload = workloads.get(target) if isinstance(target, str) else None
        if isinstance(most, float) and workload is not None:
            needed = most * _replica_gpus(workload)
            if needed > supply:
                yield StackFinding(
                    f"scales to {show(needed)} GPUs, the node pools have {show(supply)}", each
                )


RULE: Final = StackRule(
    id="scale-hpa-gpu-fit",
    display_name="Autoscaled pods fit the GPUs",
    description=(
        "The GPUs of an autoscaled workload at its maximum are no more than those of all node "
        "pools."
    ),
    why="Replicas beyond the GPUs stay pending: the maximum promises what is not there.",
    remediation="lower maxReplicas or raise the maximum of the GPU node pool.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/horizontalpodautoscaler",
    check=_check,
)
