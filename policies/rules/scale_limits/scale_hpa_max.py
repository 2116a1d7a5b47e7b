"""No autoscaler of pods goes past a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, Absence, number, show
from resources.resource import Resource

# Group and kind, whichever the version.
_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "autoscaling/HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "keda.sh/ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxReplicas")
    lowest, highest = _BOUNDS[kind_of(resource.type)]
    for each in objects(resource.type, resource.props):
        least, most = number(each, "spec", lowest), number(each, "spec", highest)
        if most is MISSING and is_patch(resource.type):
            continue
        if isinstance(most, Absence):
            yield f"its {highest} is {most.value}, allowed {show(cap)}"
            continue
        if most > cap:
            yield f"scales to {show(most, 'replica')}, allowed {show(cap)}"
        if isinstance(least, float) and least > most:
            yield f"its {lowest} {show(least)} is above its {highest} {show(most)}"


RULE: Final = ResourceRule(
    id="scale-hpa-max",
    display_name="Pod autoscaling is capped",
    description=(
        "A HorizontalPodAutoscaler or ScaledObject states a maximum of replicas within the cap."
    ),
    why="Each replica takes room on nodes, and the node pools grow with them.",
    remediation=(
        "set spec.maxReplicas to a plain number within the cap, not below spec.minReplicas."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url=(
        "https://open-policy-agent.github.io/gatekeeper-library"
        "/website/validation/horizontalpodautoscaler/"
    ),
    limits=(NumberLimit("maxReplicas", "Most replicas of one autoscaled workload"),),
    applies=lambda resource_type: kind_of(resource_type) in _BOUNDS,
    check=_check,
)
