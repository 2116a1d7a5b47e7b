"""Apigee environments and products have limits."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import Absence, get, number, show
from resources.resource import Resource

_ENVIRONMENT: Final = "gcp:apigee/environment:Environment"
_PRODUCT: Final = "gcp:apigee/apiProduct:ApiProduct"


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxNodes")
    if resource.type == _PRODUCT:
        for name in ("quota", "quotaInterval", "quotaTimeUnit"):
            if isinstance(get(resource.props, name), Absence):
                yield f"its {name} is not set or not known"
        return
    # Apigee writes the number as text.
    most = number(resource.props, "nodeConfig", "maxNodeCount")
    if isinstance(most, Absence):
        yield f"its maximum of nodes is {most.value}, allowed {show(cap)}"
    elif most > cap:
        yield f"may grow to {show(most, 'node')}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-apigee-nodes",
    display_name="Apigee is capped",
    description=(
        "An Apigee environment states a maximum of nodes within the cap, and a product has a quota."
    ),
    why=(
        "Gateway nodes are billed by the hour, and a product without quota lets one consumer "
        "use all of it."
    ),
    remediation="set nodeConfig.maxNodeCount, and quota, quotaInterval and quotaTimeUnit.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/apigee/docs/api-platform/system-administration/node-config",
    limits=(NumberLimit("maxNodes", "Most gateway nodes of one environment"),),
    applies=lambda resource_type: resource_type in (_ENVIRONMENT, _PRODUCT),
    check=_check,
)
