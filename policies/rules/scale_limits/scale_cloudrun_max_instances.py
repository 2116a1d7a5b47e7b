"""Cloud Run cannot scale past a cap."""

from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.instances import check_instances
from policies.shared.limits import NumberLimit
from policies.shared.rule import ResourceRule

_TYPES: Final = (
    "gcp:cloudrun/service:Service",
    "gcp:cloudrunv2/service:Service",
)


RULE: Final = ResourceRule(
    id="scale-cloudrun-max-instances",
    display_name="Cloud Run instances are capped",
    description=("Every Cloud Run service states a maximum of instances within the cap."),
    why="Unbounded, a burst of requests or a retry storm scales to the platform's default of 100.",
    remediation="set template.scaling.maxInstanceCount to a plain number within the cap.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/run/docs/configuring/max-instances",
    limits=(NumberLimit("maxInstances", "Most instances of one service"),),
    applies=lambda resource_type: resource_type in _TYPES,
    check=check_instances,
)
