"""A workload that is deployed runs."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import get, number, text
from resources.resource import Resource

_KINDS: Final = (
    "apps/Deployment",
    "apps/StatefulSet",
    "extensions/Deployment",
    "leaderworkerset.x-k8s.io/LeaderWorkerSet",
)
_GRACE: Final = ("spec", "template", "spec", "terminationGracePeriodSeconds")
_SEVERAL: Final = 2


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        # An autoscaler's workload leaves the number out.
        if number(each, "spec", "replicas") == 0:
            yield "asks for no replica"
        if _ends_all(each):
            yield "ends all its replicas at once when it is changed"
        if number(each, *_GRACE) == 0:
            yield "ends its pods without time for the requests they have"


def _ends_all(workload: object) -> bool:
    """Return whether a Deployment of several replicas has none left while it is replaced."""
    replicas = number(workload, "spec", "replicas")
    if not isinstance(replicas, float) or replicas < _SEVERAL:
        return False
    most = get(workload, "spec", "strategy", "rollingUpdate", "maxUnavailable")
    count = number(most)
    return (
        text(workload, "spec", "strategy", "type") == "Recreate"
        or most == "100%"
        or (isinstance(count, float) and count >= replicas)
    )


RULE: Final = ResourceRule(
    id="rel-replica-runs",
    display_name="Workloads have a replica",
    description=(
        "A Deployment, StatefulSet or LeaderWorkerSet asks for at least one replica, and one of "
        "several keeps some while it is changed."
    ),
    why=(
        "Without one, what it serves is away: routers, guardrails and model servers stand in the "
        "way of every request."
    ),
    remediation="set spec.replicas to one or more, or remove the workload and what leads to it.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#replicas",
    applies=lambda resource_type: kind_of(resource_type) in _KINDS,
    check=_check,
)
