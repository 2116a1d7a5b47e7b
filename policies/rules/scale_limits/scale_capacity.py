"""No service of Google takes more machines, processors or storage than a cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.multipliers import GOOGLE
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, all_at, number, show
from resources.resource import Resource

_LIMITS: Final[Mapping[str, str]] = {
    "GiB": "maxGib",
    "bytes": "maxGib",
    "nodes": "maxNodes",
    "processing units": "maxProcessingUnits",
    "vCPUs": "maxVcpus",
}
_UNITS: Final = {"bytes": "GiB"}


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    for each in GOOGLE[resource.type]:
        cap = limits.number(_LIMITS[each.counts])
        for value in all_at(resource.props, each.path.split(".")):
            found = number(value)
            if each.counts == "bytes" and isinstance(found, float):
                found /= 2.0**30
            unbounded = found is UNKNOWN or (each.must and found in (MISSING, 0))
            if unbounded or (isinstance(found, float) and found > cap):
                unit = _UNITS.get(each.counts, each.counts)
                yield f"{each.path} is {show(found)}, allowed {show(cap)} {unit}"


RULE: Final = ResourceRule(
    id="scale-capacity",
    display_name="Capacity is capped",
    description=(
        "Pipelines, functions, databases, caches, groups of machines, feature stores and disks "
        "state a maximum within the cap."
    ),
    why="What grows by itself is billed by what it grew to, whoever made it grow.",
    remediation="set the property to a plain number within the cap.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/dataflow/docs/guides/tune-horizontal-autoscaling",
    limits=(
        NumberLimit("maxGib", "Most GiB of one disk, file share or cache", default=10240),
        NumberLimit("maxNodes", "Most machines, workers or shards of one resource", default=50),
        NumberLimit("maxProcessingUnits", "Most processing units of Spanner", default=10000),
        NumberLimit("maxVcpus", "Most vCPUs of one database or cluster", default=128),
    ),
    applies=lambda resource_type: resource_type in GOOGLE,
    check=_check,
)
