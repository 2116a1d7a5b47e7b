"""The pods and containers of every Kubernetes kind that makes pods."""

from collections.abc import Iterator, Mapping
from typing import Final

from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import EACH, UNKNOWN, Props, all_at, entries

_TEMPLATE: Final = ("spec", "template", "spec")
_HEAD: Final = ("headGroupSpec", "template", "spec")
_WORKERS: Final = ("workerGroupSpecs", EACH, "template", "spec")
# Group and kind: where the specs of its pods stand, whichever the version.
_POD_SPECS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "core/Pod": (("spec",),),
    "core/PodTemplate": (("template", "spec"),),
    "core/ReplicationController": (_TEMPLATE,),
    "apps/Deployment": (_TEMPLATE,),
    "apps/StatefulSet": (_TEMPLATE,),
    "apps/DaemonSet": (_TEMPLATE,),
    "apps/ReplicaSet": (_TEMPLATE,),
    "extensions/Deployment": (_TEMPLATE,),
    "extensions/DaemonSet": (_TEMPLATE,),
    "extensions/ReplicaSet": (_TEMPLATE,),
    "batch/Job": (_TEMPLATE,),
    "batch/CronJob": (("spec", "jobTemplate", *_TEMPLATE),),
    "jobset.x-k8s.io/JobSet": (("spec", "replicatedJobs", EACH, "template", *_TEMPLATE),),
    "leaderworkerset.x-k8s.io/LeaderWorkerSet": (
        ("spec", "leaderWorkerTemplate", "leaderTemplate", "spec"),
        ("spec", "leaderWorkerTemplate", "workerTemplate", "spec"),
    ),
    "ray.io/RayCluster": (("spec", *_HEAD), ("spec", *_WORKERS)),
    "ray.io/RayJob": (
        ("spec", "rayClusterSpec", *_HEAD),
        ("spec", "rayClusterSpec", *_WORKERS),
    ),
    "ray.io/RayService": (
        ("spec", "rayClusterConfig", *_HEAD),
        ("spec", "rayClusterConfig", *_WORKERS),
    ),
    "serving.knative.dev/Service": (_TEMPLATE,),
}
_ROLES: Final = ("initContainers", "containers", "ephemeralContainers")


def makes_pods(token: str) -> bool:
    """Return whether resources of this type make pods."""
    return kind_of(token) in _POD_SPECS and not is_patch(token)


def changes_pods(token: str) -> bool:
    """Return whether resources of this type make pods, or change those of somebody else by a
    patch."""
    return kind_of(token) in _POD_SPECS


def containers(token: str, props: Props) -> Iterator[tuple[str, object]]:
    """Yield where each container stands and what it is; either may be `UNKNOWN`."""
    for spec in pod_specs(token, props):
        yield from containers_of(spec)


def containers_of(spec: object) -> Iterator[tuple[str, object]]:
    """Yield the same for the spec of one pod."""
    if spec is UNKNOWN:
        yield "containers", UNKNOWN
        return
    for role in _ROLES:
        found = entries(spec, role)
        if found is UNKNOWN:
            yield role, UNKNOWN
        elif isinstance(found, tuple):
            for index, container in enumerate(found):
                yield f"{role}[{index}]", container


def pod_specs(token: str, props: Props) -> Iterator[object]:
    """Yield the spec of each pod a resource makes; it may be `UNKNOWN` or `MISSING`."""
    for each in objects(token, props):
        for path in _POD_SPECS[kind_of(token)]:
            yield from all_at(each, path)


def pod_templates(token: str, props: Props) -> Iterator[object]:
    """Yield what each spec of `pod_specs` stands in: the metadata of the pods is beside it."""
    for each in objects(token, props):
        for path in _POD_SPECS[kind_of(token)]:
            yield from all_at(each, path[:-1])
