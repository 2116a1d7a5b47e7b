"""Few instances of a Cloud Run service are kept warm."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import UNKNOWN, number, show
from resources.resource import Resource

_PATHS: Final = (
    ("template", "scaling", "minInstanceCount"),
    ("scaling", "minInstanceCount"),
    # With manual scaling all of them are warm.
    ("scaling", "manualInstanceCount"),
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxInstances")
    for path in _PATHS:
        least = number(resource.props, *path)
        if least is UNKNOWN:
            yield f"{'.'.join(path)} is not known during preview, allowed {show(cap)}"
        elif isinstance(least, float) and least > cap:
            yield f"keeps {show(least, 'instance')} warm, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-cloudrun-min-instances",
    display_name="Idle Cloud Run instances are capped",
    description="A Cloud Run service keeps no more instances warm than the cap.",
    why="Warm instances are billed all month, with a GPU at the full rate.",
    remediation="lower template.scaling.minInstanceCount and scaling.minInstanceCount.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/run/docs/configuring/min-instances",
    limits=(NumberLimit("maxInstances", "Most instances of one service kept warm"),),
    applies=lambda resource_type: resource_type == "gcp:cloudrunv2/service:Service",
    check=_check,
)
