"""No deployment on Vertex AI scales past a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, Absence, entries, number, show
from resources.resource import Resource

_V: Final = "gcp:vertex/"
# Type token: blocks with a maximum, one of which must be there.
_MAXIMA: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    f"{_V}aiDeploymentResourcePool:AiDeploymentResourcePool": (
        ("dedicatedResources", "maxReplicaCount"),
    ),
    f"{_V}aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        ("deployConfig", "dedicatedResources", "maxReplicaCount"),
    ),
    f"{_V}aiIndexEndpointDeployedIndex:AiIndexEndpointDeployedIndex": (
        ("dedicatedResources", "maxReplicaCount"),
        ("automaticResources", "maxReplicaCount"),
    ),
    f"{_V}aiReasoningEngine:AiReasoningEngine": (("spec", "deploymentSpec", "maxInstances"),),
}
_POOLS: Final = f"{_V}aiPersistentResource:AiPersistentResource"


def _maxima(resource: Resource) -> Iterator[float | Absence]:
    if resource.type != _POOLS:
        found = [number(resource.props, *path) for path in _MAXIMA[resource.type]]
        yield next((each for each in found if each is not MISSING), MISSING)
        return
    pools = entries(resource.props, "resourcePools")
    for pool in pools if isinstance(pools, tuple) else (pools,):
        scaled = number(pool, "autoscalingSpec", "maxReplicaCount")
        yield number(pool, "replicaCount") if scaled is MISSING else scaled


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxReplicas")
    for most in _maxima(resource):
        if isinstance(most, Absence):
            yield f"its maximum of replicas is {most.value}, allowed {show(cap)}"
        elif most > cap:
            yield f"may run {show(most, 'replica')}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-vertex-replicas",
    display_name="Vertex AI replicas are capped",
    description=(
        "Every deployment, pool and agent on Vertex AI states a maximum of replicas within the cap."
    ),
    why="Each replica is a machine of its own, often with GPUs, billed whether it is used or not.",
    remediation=(
        "set maxReplicaCount, replicaCount or maxInstances to a plain number within the cap."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vertex-ai/docs/predictions/autoscaling",
    limits=(NumberLimit("maxReplicas", "Most replicas of one deployment"),),
    applies=lambda resource_type: resource_type == _POOLS or resource_type in _MAXIMA,
    check=_check,
)
