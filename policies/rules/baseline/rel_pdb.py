"""Upgrades take replicas one after the other."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.engine.limits import Limits
from policies.engine.rule import Reference, StackFinding, StackRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.pods import pod_templates
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Props,
    entries,
    get,
    is_mapping,
    number,
    text,
)
from resources.resource import Resource

_WORKLOADS: Final = (
    "apps/Deployment",
    "apps/StatefulSet",
    "leaderworkerset.x-k8s.io/LeaderWorkerSet",
)
_BUDGET: Final = "policy/PodDisruptionBudget"
_AUTOSCALER: Final = "autoscaling/HorizontalPodAutoscaler"
_PERCENT: Final = re.compile(r"([0-9]{1,3})%")

_Labels = Mapping[str, str | Absence]


def _labels(value: object) -> _Labels:
    return {name: text(value, name) for name in list(value)} if is_mapping(value) else {}


@dataclass(frozen=True)
class _Budget:
    """A budget with its selector read once."""

    cluster: str
    spec: object
    place: str | Absence
    wanted: _Labels
    expressions: tuple[object, ...]
    selects_none: bool

    def selects(self, cluster: str, place: str | Absence, labels: _Labels) -> bool:
        """Whether it speaks of a workload with these labels in this cluster and namespace."""
        elsewhere = UNKNOWN not in (self.place, place) and self.place != place
        if self.selects_none or elsewhere or self.cluster != cluster:
            return False
        named = all(labels.get(name, MISSING) == value for name, value in self.wanted.items())
        return named and all(_holds(each, labels) for each in self.expressions)


class _Budgets:
    """All budgets, by cluster and one of the labels they want: few to hold against a workload."""

    def __init__(self, budgets: Iterable[_Budget]) -> None:
        self._found: defaultdict[tuple[object, ...], list[_Budget]] = defaultdict(list)
        for each in budgets:
            wanted = min(each.wanted.items(), key=lambda pair: pair[0], default=())
            self._found[each.cluster, *wanted].append(each)

    def of(self, cluster: str, place: str | Absence, labels: _Labels) -> Iterator[_Budget]:
        """The budgets that speak of a workload."""
        for key in ((), *labels.items()):
            for each in self._found.get((cluster, *key), ()):
                if each.selects(cluster, place, labels):
                    yield each


def _budget(resource: Resource, budget: object) -> _Budget:
    selector = get(budget, "spec", "selector")
    expressions = entries(selector, "matchExpressions")
    return _Budget(
        cluster=resource.provider,
        spec=get(budget, "spec"),
        place=text(budget, "metadata", "namespace"),
        wanted=_labels(get(selector, "matchLabels")),
        expressions=expressions if isinstance(expressions, tuple) else (),
        selects_none=selector is MISSING,
    )


def _holds(expression: object, labels: _Labels) -> bool:
    """Whether an expression of a selector takes the labels; an operator not known takes none."""
    key, operator = text(expression, "key"), text(expression, "operator")
    value = labels.get(key, MISSING) if isinstance(key, str) else MISSING
    listed = entries(expression, "values")
    values = listed if isinstance(listed, tuple) else ()
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    return operator == ("DoesNotExist" if value is MISSING else "Exists")


def _amount(value: object, replicas: float) -> float | Absence:
    """A number of pods, or a part of the replicas, rounded up as Kubernetes does."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    return math.ceil(int(match[1]) * replicas / 100) if match else number(value)


def _blocks(budget: _Budget, replicas: float) -> bool:
    least = _amount(get(budget.spec, "minAvailable"), replicas)
    most = _amount(get(budget.spec, "maxUnavailable"), replicas)
    return most == 0 or (isinstance(least, float | int) and least >= replicas)


def _fewest(workload: object, least: float) -> float | Absence:
    """The replicas there are at least, whether the workload or its autoscaler says so."""
    replicas = number(workload, "spec", "replicas")
    if replicas is UNKNOWN:
        return UNKNOWN
    return max(replicas, least) if isinstance(replicas, float) else least


def _scaled(resources: Sequence[Resource]) -> dict[tuple[object, ...], float]:
    """The fewest replicas that autoscalers keep: by cluster, namespace and name."""
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
        _budget(each, found)
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
    labels = [_labels(get(each, "metadata", "labels")) for each in pod_templates(token, props)]
    mine = [each for found in labels for each in budgets.of(resource.provider, place, found)]
    if not mine:
        yield StackFinding("has several replicas and no PodDisruptionBudget", resource)
    elif isinstance(replicas, float) and any(_blocks(each, replicas) for each in mine):
        yield StackFinding("has a PodDisruptionBudget that allows no eviction", resource)


RULE: Final = StackRule(
    id="rel-pdb",
    display_name="Workloads have disruption budgets",
    description=(
        "Every workload of several replicas has a PodDisruptionBudget, and none that blocks "
        "every eviction."
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
