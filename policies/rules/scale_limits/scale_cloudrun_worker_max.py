"""A Cloud Run worker pool cannot scale past a cap."""

from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.instances import check_instances
from policies.shared.limits import NumberLimit
from policies.shared.rule import ResourceRule

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
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/configuring/workerpools/manual-scaling",
    limits=(NumberLimit("maxInstances", "Most instances of one worker pool"),),
    applies=lambda resource_type: resource_type == "gcp:cloudrunv2/workerPool:WorkerPool",
    check=check_instances,
)
