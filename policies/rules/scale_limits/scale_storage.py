"""No claim takes more storage than a cap, whoever makes it."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.properties import UNKNOWN, show
from resources.resource import Resource
from resources.volumes import gib, has_volumes


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxGib")
    for found in gib(resource.type, resource.props):
        if found is UNKNOWN:
            yield f"its storage is not known during preview, allowed {show(cap)} GiB"
        elif isinstance(found, float) and found > cap:
            yield f"asks for {show(found)} GiB, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-storage",
    display_name="Storage of pods is capped",
    description="Claims, volumes and the claims of all replicas of a StatefulSet are within a cap.",
    why="A claim makes a disk, billed until somebody deletes it, also when no pod uses it.",
    remediation="set resources.requests.storage to a plain quantity within the cap.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/storage/persistent-volumes/",
    limits=(NumberLimit("maxGib", "Most GiB of one claim or StatefulSet", default=10240),),
    applies=has_volumes,
    check=_check,
)
