"""No quota is raised past a cap."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import Absence, number, show, text
from resources.resource import Resource

# Type token: the value asked for, and what names the quota.
_QUOTAS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "gcp:cloudquota/sQuotaPreference:SQuotaPreference": (
        ("quotaConfig", "preferredValue"),
        "quotaId",
    ),
    "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride": (
        ("overrideValue",),
        "metric",
    ),
}
_OF_GPUS: Final = re.compile(r"gpu|nvidia|accelerator", re.IGNORECASE)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    path, naming = _QUOTAS[resource.type]
    name = text(resource.props, naming)
    gpus = not isinstance(name, str) or _OF_GPUS.search(name)
    cap = limits.number("maxGpus" if gpus else "maxOther")
    value = number(resource.props, *path)
    if isinstance(value, Absence):
        yield f"its {path[-1]} is not a known number, allowed {show(cap)}"
    elif value > cap:
        yield f"asks for a quota of {show(value)}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-quota-not-raised",
    display_name="Quotas are not raised past a cap",
    description=(
        "A quota preference or override asks for no more than the cap, of GPUs or of anything else."
    ),
    why="The quota is the only bound at run time that does not depend on this stack.",
    remediation=(
        "lower quotaConfig.preferredValue or overrideValue, or raise the cap in the policy config."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/docs/quotas/overview",
    limits=(
        NumberLimit("maxGpus", "Highest quota of GPUs"),
        NumberLimit("maxOther", "Highest quota of anything else"),
    ),
    applies=lambda resource_type: resource_type in _QUOTAS,
    check=_check,
)
