"""The pods and containers of every Kubernetes kind that makes pods."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.rules.peek import UNKNOWN, Props, entries, peek

_TEMPLATE: Final = ("spec", "template", "spec")
_POD_SPECS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "kubernetes:core/v1:Pod": (("spec",),),
    "kubernetes:apps/v1:Deployment": (_TEMPLATE,),
    "kubernetes:apps/v1:StatefulSet": (_TEMPLATE,),
    "kubernetes:apps/v1:DaemonSet": (_TEMPLATE,),
    "kubernetes:apps/v1:ReplicaSet": (_TEMPLATE,),
    "kubernetes:batch/v1:Job": (_TEMPLATE,),
    "kubernetes:batch/v1:CronJob": (("spec", "jobTemplate", "spec", "template", "spec"),),
    "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": (
        ("spec", "leaderWorkerTemplate", "leaderTemplate", "spec"),
        ("spec", "leaderWorkerTemplate", "workerTemplate", "spec"),
    ),
}


def makes_pods(token: str) -> bool:
    """Whether resources of this type make pods."""
    return token in _POD_SPECS


def containers(token: str, props: Props) -> Iterator[tuple[str, object]]:
    """Where each container stands and what it is; either may be `UNKNOWN`."""
    for path in _POD_SPECS[token]:
        for role in ("initContainers", "containers"):
            found = entries(props, *path, role)
            if found is UNKNOWN:
                yield role, UNKNOWN
            elif isinstance(found, tuple):
                for index, container in enumerate(found):
                    yield f"{role}[{index}]", container


def pod_specs(token: str, props: Props) -> Iterator[object]:
    """The spec of each pod a resource makes; it may be `UNKNOWN` or `MISSING`."""
    for path in _POD_SPECS[token]:
        yield peek(props, *path)


def pod_templates(token: str, props: Props) -> Iterator[object]:
    """What each spec of `pod_specs` stands in: the metadata of the pods is beside it."""
    for path in _POD_SPECS[token]:
        yield peek(props, *path[:-1])
