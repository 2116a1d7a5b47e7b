"""A kind that no table knows is looked at when it counts replicas."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.multipliers import KUBERNETES
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import elements, get, is_mapping, is_sequence, number, show
from resources.resource import Resource

_COUNTS: Final = re.compile(
    r"(max|min|desired|num|total)?"
    r"(replicas|workers|instances|nodes|machines|executors|shards|parallelism|size|count)"
    r"|(max|min|desired|num|total)?(replica|worker|node|instance|machine|executor|shard)count"
    r"|(max|min|num)(replica|worker|node|instance)",
    re.IGNORECASE,
)
_DEPTH: Final = 8
# Kinds of rules of their own, and those whose counts are no replicas.
_KNOWN: Final = (
    *("autoscaling/HorizontalPodAutoscaler", "keda.sh/ScaledObject"),
    *("policy/PodDisruptionBudget", "core/ResourceQuota", "core/LimitRange"),
    *("apiextensions.k8s.io/CustomResourceDefinition", "core/Service", "core/ConfigMap"),
)


def _counts(value: object, depth: int = 0) -> Iterator[tuple[str, float]]:
    if depth > _DEPTH:
        return
    if is_mapping(value):
        for name in list(value):
            found = number(get(value, name))
            if isinstance(found, float) and _COUNTS.fullmatch(name):
                yield name, found
            yield from _counts(get(value, name), depth + 1)
    elif is_sequence(value):
        for each in elements(value):
            yield from _counts(each, depth + 1)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxReplicas")
    for each in objects(resource.type, resource.props):
        for name, count in _counts(get(each, "spec")):
            if count > cap:
                yield f"{name} is {show(count)}, and no table knows what the kind makes"


def _applies(resource_type: str) -> bool:
    kind = kind_of(resource_type)
    return bool(kind) and kind not in KUBERNETES and kind not in _KNOWN


RULE: Final = ResourceRule(
    id="scale-unknown-kinds",
    display_name="Kinds that scale are known",
    description="A kind of Kubernetes that no table knows counts no more replicas than the cap.",
    why="What an operator makes of it is billed like any other pod, and no rule follows it.",
    remediation="lower the count, or add the kind to policies/shared/multipliers.py.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources/",
    limits=(NumberLimit("maxReplicas", "Most replicas of an unknown kind", default=10),),
    applies=_applies,
    check=_check,
)
