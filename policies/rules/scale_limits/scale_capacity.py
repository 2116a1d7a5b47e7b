"""No service of Google takes more machines, processors or storage than a cap."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.multipliers import GOOGLE, NODE_GIB, UNITS
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, Absence, all_at, number, show, text
from resources.resource import Resource

# The vCPUs in the name of a machine: db-custom-8-32768, db-perf-optimized-N-8, c4a-highmem-8-lssd.
_VCPUS: Final = re.compile(r"(?:[a-z][a-z0-9]*-)+?(?:N-)?([0-9]+)(?:-.*)?")


def _amount(value: object, counts: str) -> float | Absence:
    if counts not in ("machine type", "node type"):
        found = number(value)
        return found / UNITS[counts][2] if isinstance(found, float) else found
    name = text(value)
    if isinstance(name, Absence):
        return name
    if counts == "node type":
        return NODE_GIB.get(name.removeprefix("REDIS_"), MISSING)
    vcpus = _VCPUS.fullmatch(name)
    return float(vcpus[1]) if vcpus else MISSING


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    for each in GOOGLE[resource.type]:
        limit, unit, _ = UNITS[each.counts]
        cap = limits.number(limit)
        times = number(resource.props, *each.times.split(".")) if each.times else 1.0
        for value in all_at(resource.props, each.path.split(".")):
            found = _amount(value, each.counts)
            if isinstance(found, float) and times is not MISSING:
                found = found * times if isinstance(times, float) else times
            unbounded = found is UNKNOWN or (each.must and found in (MISSING, 0))
            if unbounded or (isinstance(found, float) and found > cap):
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
        NumberLimit("maxGib", "Most GiB of one disk, file share or database", default=10240),
        NumberLimit("maxMemoryGib", "Most GiB of memory of one cache", default=128),
        NumberLimit("maxNodes", "Most machines, workers or shards of one resource", default=50),
        NumberLimit("maxProcessingUnits", "Most processing units of Spanner", default=10000),
        NumberLimit("maxVcpus", "Most vCPUs of one database or cluster", default=128),
    ),
    applies=lambda resource_type: resource_type in GOOGLE,
    check=_check,
)
