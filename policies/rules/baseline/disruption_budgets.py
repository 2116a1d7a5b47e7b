"""Upgrades take replicas one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, UNKNOWN, Absence, is_mapping, number, peek, text
from policies.rules.rule import Reference, Resource, StackFinding, StackRule

_WORKLOADS: Final = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")
_BUDGET: Final = "kubernetes:policy/v1:PodDisruptionBudget"


def _labels(value: object, *path: str) -> dict[str, str | Absence]:
    found = peek(value, *path)
    return {name: text(found, name) for name in list(found)} if is_mapping(found) else {}


@dataclass(frozen=True)
class _Budget:
    """A budget with its selector read once: each is held against every workload."""

    resource: Resource
    place: str | Absence
    by_expression: bool
    wanted: frozenset[tuple[str, str | Absence]]

    def selects(self, place: str | Absence, labels: frozenset[tuple[str, str | Absence]]) -> bool:
        """Whether it speaks of a workload with these labels in this namespace."""
        if UNKNOWN not in (self.place, place) and self.place != place:
            return False
        return self.by_expression or self.wanted <= labels


def _budget(resource: Resource) -> _Budget:
    expressions = peek(resource.props, "spec", "selector", "matchExpressions")
    wanted = _labels(resource.props, "spec", "selector", "matchLabels")
    place = text(resource.props, "metadata", "namespace")
    return _Budget(resource, place, expressions is not MISSING, frozenset(wanted.items()))


def _blocks(budget: Resource, replicas: float) -> bool:
    least = peek(budget.props, "spec", "minAvailable")
    most = peek(budget.props, "spec", "maxUnavailable")
    at_least = number(budget.props, "spec", "minAvailable")
    return (
        least == "100%"
        or most in (0, "0", "0%")
        or (isinstance(at_least, float) and at_least >= replicas)
    )


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    budgets = [_budget(each) for each in resources if each.type == _BUDGET]
    for each in resources:
        if each.type not in _WORKLOADS:
            continue
        replicas = number(each.props, "spec", "replicas")
        if replicas is MISSING or replicas in (0, 1):
            continue
        place = text(each.props, "metadata", "namespace")
        labels = frozenset(_labels(each.props, "spec", "template", "metadata", "labels").items())
        mine = [budget.resource for budget in budgets if budget.selects(place, labels)]
        if not mine:
            yield StackFinding("has several replicas and no PodDisruptionBudget", each)
        elif isinstance(replicas, float) and any(_blocks(budget, replicas) for budget in mine):
            yield StackFinding("has a PodDisruptionBudget that allows no eviction", each)


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
    url="https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    references=(
        Reference("kube-linter", "pdb-min-available"),
        Reference("kube-linter", "pdb-max-unavailable"),
    ),
    check=_check,
)
