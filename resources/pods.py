"""The pods and containers of every Kubernetes kind that makes pods."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import (
    EACH,
    MISSING,
    UNKNOWN,
    Props,
    all_at,
    elements,
    entries,
    get,
    is_mapping,
    search,
)

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
        ("spec", "submitterPodTemplate", "spec"),
    ),
    "ray.io/RayService": (
        ("spec", "rayClusterConfig", *_HEAD),
        ("spec", "rayClusterConfig", *_WORKERS),
    ),
    "serving.knative.dev/Service": (_TEMPLATE,),
}
_ALONE: Final = ("container", "script")
# Lists of containers under other names, as in pipelines.
_LISTED: Final = ("sidecars", "steps")
_ROLES: Final = ("initContainers", "containers", "ephemeralContainers")


# Groups whose kinds hold no pods beside those above: their objects need not be searched.
_NO_PODS: Final = re.compile(
    r"(core|apps|batch|extensions|policy|networking|autoscaling|apiextensions|apiregistration"
    r"|rbac|storage|scheduling|coordination|discovery|admissionregistration|certificates"
    r"|authentication|authorization|node|events|resource|flowcontrol|internal)(\.(.*\.)?k8s\.io)?"
    r"|helm\.sh|yaml|kustomize|pulumi|gateway\.networking\.k8s\.io|networking\.gke\.io"
    r"|inference\.networking\.(x-)?k8s\.io|monitoring\.googleapis\.com|apim\.googleapis\.com"
    r"|secrets-store\.csi\.x-k8s\.io"
)
CHARTS: Final = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
_LOOSE: Final[Mapping[str, object]] = {
    "allowPrivilegeEscalation": True,
    "hostIPC": True,
    "hostNetwork": True,
    "hostPID": True,
    "privileged": True,
    "runAsNonRoot": False,
}
# What a kind of an operator calls files and devices of a node, by being there: KubeVirt's disks
# (https://kubevirt.io/user-guide/storage/disks_and_volumes/#hostdisk) and the volumes of others.
_OF_NODE: Final = ("flexVolume", "hostDevices", "hostDisk", "hostPath", "permittedHostDevices")


@cache
def _may_hold_pods(kind: str) -> bool:
    """Return whether a kind that no row knows may hold specs of pods."""
    group = kind.partition("/")[0]
    return bool(kind) and kind not in _POD_SPECS and not _NO_PODS.fullmatch(group)


def makes_pods(token: str) -> bool:
    """Return whether resources of this type make pods."""
    return kind_of(token) in _POD_SPECS and not is_patch(token)


def changes_pods(token: str) -> bool:
    """Return whether resources of this type make pods, may do so by an operator, or change those
    of somebody else by a patch."""
    kind = kind_of(token)
    return kind in _POD_SPECS or _may_hold_pods(kind)


def _spec(name: str, found: object, holder: Props) -> list[tuple[object, object]] | None:
    """Return the spec of a pod at a property of an object of an unknown kind, and what has it."""
    if is_mapping(found) and _is_spec(found):
        return [(holder, found)]
    if name in _ALONE and is_mapping(found) and get(found, "image") is not MISSING:
        # A container that stands alone, as in workflows.
        return [(holder, {"containers": [found], **_beside(holder)})]
    if name in _LISTED and _is_spec({"containers": found}):
        return [(holder, {"containers": found, **_beside(holder)})]
    return None


def host_access(token: str, props: Props) -> Iterator[str]:
    """Yield the switches of the node's protection that an object of an unknown kind, or the values
    of a chart, turn off beside their pods."""
    if token in CHARTS:
        yield from search(get(props, "values"), _loose)
    elif _may_hold_pods(kind_of(token)):
        for each in objects(token, props):
            yield from search(get(each, "spec"), _loose)


def _loose(name: str, found: object, holder: Props) -> tuple[str, ...] | None:
    # The containers of a pod are judged as such.
    if _is_spec(holder):
        return ()
    if name in _OF_NODE and found not in ("", (), [], {}, False):
        return (name,)
    return (name,) if name in _LOOSE and _same(found, _LOOSE[name]) else None


def _same(found: object, loose: object) -> bool:
    return found == loose and type(found) is type(loose)


def _is_spec(value: object) -> bool:
    """Return whether a value is the spec of a pod: it has containers, each with an image."""
    found = elements(value, "containers")
    return bool(found) and any(get(each, "image") is not MISSING for each in found)


def _beside(value: object) -> Mapping[str, object]:
    found = get(value, "securityContext")
    return {} if found is MISSING else {"securityContext": found}


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
        for path in _POD_SPECS.get(kind_of(token), ()):
            yield from all_at(each, path)
        if _may_hold_pods(kind_of(token)):
            yield from (spec for _, spec in search(each, _spec))


def pod_templates(token: str, props: Props) -> Iterator[object]:
    """Yield what each spec of `pod_specs` stands in: the metadata of the pods is beside it."""
    for each in objects(token, props):
        for path in _POD_SPECS.get(kind_of(token), ()):
            yield from all_at(each, path[:-1])
        if _may_hold_pods(kind_of(token)):
            yield from (holder for holder, _ in search(each, _spec))
