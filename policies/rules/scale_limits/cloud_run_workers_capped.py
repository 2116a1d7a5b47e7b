"""A Cloud Run worker pool cannot scale past a cap."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.cloud_run import max_instances
from policies.rules.config import Limits, NumberLimit
from policies.rules.peek import Absence, show
from policies.rules.rule import Resource, ResourceRule


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxInstances")
    instances = max_instances(resource.props)
    if isinstance(instances, Absence):
        yield f"its maximum of instances is {instances.value}, allowed {show(cap)}"
    elif instances > cap:
        yield f"may run {show(instances)} instances, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-cloudrun-worker-max",
    display_name="Cloud Run workers are capped",
    description="Every Cloud Run worker pool states a number of instances within the cap.",
    why="Workers are billed as long as they exist, whether there is work or not.",
    remediation=(
        "set scaling.maxInstanceCount or scaling.manualInstanceCount to a plain number within "
        "the cap."
    ),
    severity=Severity.HIGH,
    url="https://cloud.google.com/run/docs/configuring/workerpools/manual-scaling",
    limits=(NumberLimit("maxInstances", "Most instances of one worker pool"),),
    applies=lambda resource_type: resource_type == "gcp:cloudrunv2/workerPool:WorkerPool",
    check=_check,
)
