"""No pod takes the place of the cluster's own parts."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.pods import changes_pods, pod_specs
from resources.properties import Absence, flag, number, text
from resources.resource import Resource

_CLASS: Final = "scheduling.k8s.io/PriorityClass"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    highest = limits.number("maxPriority")
    if kind_of(resource.type) == _CLASS:
        for each in objects(resource.type, resource.props):
            value = number(each, "value")
            if not isinstance(value, Absence) and value > highest:
                yield "a priority class goes before what the platform runs"
            elif flag(each, "globalDefault") is True and value != 0:
                yield "a priority class holds for every pod that names none"
        return
    for spec in pod_specs(resource.type, resource.props):
        name, value = text(spec, "priorityClassName"), number(spec, "priority")
        own = isinstance(name, str) and name.startswith("system-")
        if own or (isinstance(value, float) and value > highest):
            yield "a pod has the priority of the system's own parts"


RULE: Final = ResourceRule(
    id="pod-no-system-priority",
    display_name="No priority of the system",
    description=(
        "No pod has the priority class of the system's own parts, and no priority class goes "
        "beyond the cap or holds for every pod."
    ),
    why=(
        "When room is short, such a pod evicts model servers, guardrails and the node's own agents."
    ),
    remediation="name a priority class of the platform, or none.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/",
    limits=(NumberLimit("maxPriority", "Highest value of a priority class", default=1_000_000),),
    applies=lambda resource_type: changes_pods(resource_type) or kind_of(resource_type) == _CLASS,
    check=_check,
)
