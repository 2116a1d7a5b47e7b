"""GPU nodes are spot, queued or reserved."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.gpus import gpu_demand
from resources.properties import MISSING, flag, get, text
from resources.resource import Resource

_CHEAP: Final = (
    ("nodeConfig", "spot"),
    ("nodeConfig", "preemptible"),
    ("nodeConfig", "flexStart"),
    ("queuedProvisioning", "enabled"),
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    reserved = text(resource.props, "nodeConfig", "reservationAffinity", "consumeReservationType")
    if (
        gpu_demand(resource)
        and not any(flag(resource.props, *path) is True for path in _CHEAP)
        and get(resource.props, "nodeConfig", "maxRunDuration") is MISSING
        and reserved != "SPECIFIC_RESERVATION"
    ):
        yield "buys GPUs on demand, without an end"


RULE: Final = ResourceRule(
    id="scale-spot-in-dev",
    display_name="GPUs are bought cheaply",
    description=(
        "A GPU node pool takes spot, flex-start, queued, time-limited or reserved capacity."
    ),
    why="On demand the same GPU costs two to four times as much.",
    remediation="set nodeConfig.spot or nodeConfig.flexStart.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/kubernetes-engine/docs/concepts/spot-vms",
    applies=lambda resource_type: resource_type == "gcp:container/nodePool:NodePool",
    check=_check,
)
