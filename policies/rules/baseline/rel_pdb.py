"""Upgrades take replicas one after the other."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.pods import pod_templates
from resources.properties import (
    UNKNOWN,
    Absence,
    Props,
    get,
    is_mapping,
    number,
    text,
)
from resources.resource import Resource
from resources.selectors import Labels, labels, may_equal, may_select

_WORKLOADS: Final = (
    "apps/Deployment",
    "apps/StatefulSet",
    "leaderworkerset.x-k8s.io/LeaderWorkerSet",
)
_BUDGET: Final = "policy/PodDisruptionBudget"
_AUTOSCALER: Final = "autoscaling/HorizontalPodAutoscaler"
_PERCENT: Final = re.compile(r"([0-9]{1,3})%")


@dataclass(frozen=True)
class _Budget:
    """A budget with its selector."""

    cluster: str
    spec: object
    place: str | Absence

    def selects(self, cluster: str, place: str | Absence, carried: Labels) -> bool:
        """Return whether it speaks of a workload with these labels in this cluster and
        namespace."""
        return (
            self.cluster == cluster
            and may_equal(self.place, place)
            and may_select(get(self.spec, "selector"), carried)
        )


class _Budgets:
    """All budgets, by cluster and one of the labels they want: few to hold against a workload."""

    def __init__(self, budgets: Iterable[_Budget]) -> None:
        self._found: defaultdict[tuple[object, ...], list[_Budget]] = defaultdict(list)
        for each in budgets:
            wanted = labels(each.spec, "selector", "matchLabels")
            known = () if wanted is UNKNOWN else wanted.items()
            least = min((pair for pair in known if pair[1] is not UNKNOWN), default=())
            self._found[each.cluster, *least].append(each)

    def of(self, cluster: str, place: str | Absence, carried: Labels) -> Iterator[_Budget]:
        """Yield the budgets that speak of a workload."""
        if carried is UNKNOWN or UNKNOWN in carried.values():
            keys: Iterable[tuple[object, ...]] = self._found
        else:
            keys = ((cluster, *key) for key in ((), *carried.items()))
        for key in keys:
            for each in self._found.get(key, ()):
                if each.selects(cluster, place, carried):
                    yield each


def _amount(value: object, replicas: float) -> float | Absence:
    """Return a number of pods, or a part of the replicas, rounded up as Kubernetes does."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return math.ceil(int(match[1]) * replicas / 100) if match else number(value)


def _blocks(budget: _Budget, replicas: float) -> bool:
    least = _amount(get(budget.spec, "minAvailable"), replicas)
    most = _amount(get(budget.spec, "maxUnavailable"), replicas)
    return most == 0 or (isinstance(least, float | int) and least >= replicas)


def _hollow(budget: _Budget, replicas: float) -> bool:
    """Return whether a budget lets all replicas go at once."""
    least = _amount(get(budget.spec, "minAvailable"), replicas)
    most = _amount(get(budget.spec, "maxUnavailable"), replicas)
    return least == 0 or (isinstance(most, float | int) and most >= replicas)


def _fewest(workload: object, least: float) -> float | Absence:
    """Return the replicas there are at least, whether the workload or its autoscaler says so."""
    replicas = number(workload, "spec", "replicas")
    if replicas is UNKNOWN:
        return UNKNOWN
    return max(replicas, least) if isinstance(replicas, float) else least


def _scaled(resources: Sequence[Resource]) -> dict[tuple[object, ...], float]:
    """Return the fewest replicas that autoscalers keep: by cluster, namespace and name."""
    found: dict[tuple[object, ...], float] = {}
    for each in resources:
        if kind_of(each.type) == _AUTOSCALER:
            place = text(each.props, "metadata", "namespace")
            name = text(each.props, "spec", "scaleTargetRef", "name")
            least = number(each.props, "spec", "minReplicas")
            if isinstance(name, str) and isinstance(least, float):
                found[each.provider, place, name] = least
    return found


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    budgets = _Budgets(
        _Budget(each.provider, get(found, "spec"), text(found, "metadata", "namespace"))
        for each in resources
        if kind_of(each.type) == _BUDGET
        for found in objects(each.type, each.props)
    )
    scaled = _scaled(resources)
    for each in resources:
        if kind_of(each.type) not in _WORKLOADS or is_patch(each.type):
            continue
        for workload in objects(each.type, each.props):
            place = text(workload, "metadata", "namespace")
            name = text(workload, "metadata", "name")
            replicas = _fewest(workload, scaled.get((each.provider, place, name), 1.0))
            if replicas in (0, 1):
                continue
            yield from _workload(each, workload, replicas, budgets)


def _workload(
    resource: Resource, workload: object, replicas: float | Absence, budgets: _Budgets
) -> Iterator[StackFinding]:
    place = text(workload, "metadata", "namespace")
    props: Props = workload if is_mapping(workload) else {}
    token = resource.type.removesuffix("List")
    # The pods of a group have two templates: a budget of either one keeps the group.
    carried: list[Labels] = [
        labels(each, "metadata", "labels") for each in pod_templates(token, props)
    ]
    mine = [each for found in carried for each in budgets.of(resource.provider, place, found)]
    if not mine:
        yield StackFinding("has several replicas and no PodDisruptionBudget", resource)
    elif isinstance(replicas, float) and any(_blocks(each, replicas) for each in mine):
        yield StackFinding("has a PodDisruptionBudget that allows no eviction", resource)
    elif isinstance(replicas, float) and all(_hollow(each, replicas) for each in mine):
        yield StackFinding("has a PodDisruptionBudget that lets all go at once", resource)


RULE: Final = StackRule(
    id="rel-pdb",
    display_name="Workloads have disruption budgets",
    description=(
        "Every workload of several replicas has a PodDisruptionBudget, and none that blocks "
        "every eviction or none."
    ),
    why="A node upgrade may otherwise evict all replicas at once, or never end.",
    remediation="make a PodDisruptionBudget that selects the pods, with maxUnavailable 1.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    references=(
        Reference("kube-linter", "pdb-min-available"),
        Reference("kube-linter", "pdb-max-unavailable"),
    ),
    check=_check,
)
