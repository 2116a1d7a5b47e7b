"""A workload that is deployed runs."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import number
from resources.resource import Resource

_KINDS: Final = (
    "apps/Deployment",
    "apps/StatefulSet",
    "extensions/Deployment",
    "leaderworkerset.x-k8s.io/LeaderWorkerSet",
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        # An autoscaler's workload leaves the number out.
        if number(each, "spec", "replicas") == 0:
            yield "asks for no replica"


RULE: Final = ResourceRule(
    id="rel-replica-runs",
    display_name="Workloads have a replica",
    description="A Deployment, StatefulSet or LeaderWorkerSet asks for at least one replica.",
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
