"""The storage that Kubernetes objects ask for."""

from collections.abc import Iterator
from typing import Final

from resources.kubernetes import kind_of, objects
from resources.pods import makes_pods, pod_specs
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    elements,
    entries,
    get,
    number,
)
from resources.quantities import quantity

_CLAIM: Final = "core/PersistentVolumeClaim"
_VOLUME: Final = "core/PersistentVolume"
_SET: Final = "apps/StatefulSet"
_REQUEST: Final = ("spec", "resources", "requests", "storage")
_GIB: Final = 2.0**30


def has_volumes(token: str) -> bool:
    """Return whether resources of this type ask for storage."""
    return kind_of(token) in (_CLAIM, _VOLUME) or makes_pods(token)


def gib(token: str, props: Props) -> Iterator[float | Absence]:
    """Yield the GiB each claim asks for; those of a StatefulSet are once for each replica."""
    kind = kind_of(token)
    for each in objects(token, props):
        if kind == _VOLUME:
            yield _in_gib(quantity(each, "spec", "capacity", "storage"))
        elif kind == _CLAIM:
            yield _in_gib(quantity(each, *_REQUEST))
        else:
            yield from _of_set(each)
    if kind not in (_CLAIM, _VOLUME):
        # A claim that each pod makes for itself.
        for spec in pod_specs(token, props):
            for volume in elements(spec, "volumes"):
                if get(volume, "ephemeral") not in (MISSING, UNKNOWN):
                    yield _in_gib(quantity(volume, "ephemeral", "volumeClaimTemplate", *_REQUEST))


def _of_set(workload: object) -> Iterator[float | Absence]:
    replicas = number(workload, "spec", "replicas")
    claims = entries(workload, "spec", "volumeClaimTemplates")
    if claims is UNKNOWN:
        yield UNKNOWN
    for claim in claims if isinstance(claims, tuple) else ():
        size = _in_gib(quantity(claim, *_REQUEST))
        if isinstance(size, Absence) or replicas is UNKNOWN:
            yield UNKNOWN
        else:
            yield size * (replicas if isinstance(replicas, float) else 1.0)


def _in_gib(size: float | Absence) -> float | Absence:
    return size if isinstance(size, Absence) else size / _GIB
