"""No autoscaler of pods goes past a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import is_patch, kind_of, objects
from resources.properties import MISSING, UNKNOWN, Absence, entries, number, show, text
from resources.quantities import quantity
from resources.resource import Resource

# Group and kind, whichever the version.
_BOUNDS: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "autoscaling/HorizontalPodAutoscaler": (("spec",), "minReplicas", "maxReplicas"),
    "autoscaling.gke.io/MultidimPodAutoscaler": (
        ("spec", "constraints", "global"),
        "minReplicas",
        "maxReplicas",
    ),
    "keda.sh/ScaledObject": (("spec",), "minReplicaCount", "maxReplicaCount"),
}
# What grows the pods themselves: where it says how far, by kind, and what of them.
_GROWS: Final[Mapping[str, tuple[tuple[str, ...], str, tuple[str, ...], tuple[str, ...]]]] = {
    "autoscaling.gke.io/MultidimPodAutoscaler": (
        ("spec", "constraints", "container"),
        "name",
        ("requests", "maxAllowed"),
        # Processors stay as they are.
        ("memory",),
    ),
    "autoscaling.k8s.io/VerticalPodAutoscaler": (
        ("spec", "resourcePolicy", "containerPolicies"),
        "containerName",
        ("maxAllowed",),
        ("cpu", "memory"),
    ),
}
_MODES: Final = (("spec", "updatePolicy", "updateMode"), ("spec", "policy", "updateMode"))
_SIZES: Final = {"cpu": ("maxCpus", 1.0, "CPUs"), "memory": ("maxGib", 2.0**30, "GiB")}
_EVERY: Final = "*"


def _grows(kind: str, autoscaler: object, limits: Limits) -> Iterator[str]:
    """Yield what is wrong with how large an autoscaler lets pods grow."""
    place, name, most, sizes = _GROWS[kind]
    if any(text(autoscaler, *mode) == "Off" for mode in _MODES):
        return
    found = entries(autoscaler, *place)
    if found is UNKNOWN:
        return
    policies = found if isinstance(found, tuple) else ()
    for resource in sizes:
        limit, unit, called = _SIZES[resource]
        cap = limits.number(limit)
        bounds = [
            quantity(each, *most, resource)
            for each in policies
            if text(each, "mode") != "Off" and each is not UNKNOWN
        ]
        others = not any(text(each, name) in (_EVERY, UNKNOWN) for each in policies)
        if others or any(
            each is MISSING or (isinstance(each, float) and each > cap * unit) for each in bounds
        ):
            yield f"lets pods grow beyond {show(cap)} {called}"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    kind, cap = kind_of(resource.type), limits.number("maxReplicas")
    for each in objects(resource.type, resource.props):
        if kind in _GROWS and each is not UNKNOWN and not is_patch(resource.type):
            yield from _grows(kind, each, limits)
        if kind not in _BOUNDS:
            continue
        place, lowest, highest = _BOUNDS[kind]
        least, most = number(each, *place, lowest), number(each, *place, highest)
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
        "A HorizontalPodAutoscaler or ScaledObject states a maximum of replicas within the cap, a "
        "VerticalPodAutoscaler a maximum of CPUs and memory."
    ),
    why="Each replica takes room on nodes, and the node pools grow with them.",
    remediation=(
        "set spec.maxReplicas to a plain number within the cap, not below spec.minReplicas, and "
        "maxAllowed for the container '*'."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url=(
        "https://open-policy-agent.github.io/gatekeeper-library"
        "/website/validation/horizontalpodautoscaler/"
    ),
    limits=(
        NumberLimit("maxReplicas", "Most replicas of one autoscaled workload"),
        NumberLimit("maxCpus", "Most CPUs that a container may grow to", default=64),
        NumberLimit("maxGib", "Most GiB of memory that a container may grow to", default=512),
    ),
    applies=lambda resource_type: kind_of(resource_type) in {*_BOUNDS, *_GROWS},
    check=_check,
)
