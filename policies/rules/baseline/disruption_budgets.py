"""Upgrades take replicas one after the other."""

from collections.abc import Iterator, Sequence
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


def _selects(budget: Resource, workload: Resource) -> bool:
    places = [text(each.props, "metadata", "namespace") for each in (budget, workload)]
    if UNKNOWN not in places and places[0] != places[1]:
        return False
    if peek(budget.props, "spec", "selector", "matchExpressions") is not MISSING:
        return True
    wanted = _labels(budget.props, "spec", "selector", "matchLabels")
    found = _labels(workload.props, "spec", "template", "metadata", "labels")
    return wanted.items() <= found.items()


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
    budgets = [each for each in resources if each.type == _BUDGET]
    for each in resources:
        if each.type not in _WORKLOADS:
            continue
        replicas = number(each.props, "spec", "replicas")
        if replicas is MISSING or replicas in (0, 1):
            continue
        mine = [budget for budget in budgets if _selects(budget, each)]
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
