"""No autoscaler of pods goes past a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits, NumberLimit
from policies.rules.peek import Absence, number, show
from policies.rules.rule import Resource, ResourceRule

_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "kubernetes:autoscaling/v1:HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "kubernetes:keda.sh/v1alpha1:ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxReplicas")
    lowest, highest = _BOUNDS[resource.type]
    least = number(resource.props, "spec", lowest)
    most = number(resource.props, "spec", highest)
    if isinstance(most, Absence):
        yield f"its {highest} is {most.value}, allowed {show(cap)}"
        return
    if most > cap:
        yield f"scales to {show(most)} replicas, allowed {show(cap)}"
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
    url=(
        "https://open-policy-agent.github.io/gatekeeper-library"
        "/website/validation/horizontalpodautoscaler/"
    ),
    limits=(NumberLimit("maxReplicas", "Most replicas of one autoscaled workload"),),
    applies=lambda resource_type: resource_type in _BOUNDS,
    check=_check,
)
