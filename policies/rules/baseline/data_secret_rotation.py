"""A secret has a rotation, or an end."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, get
from resources.resource import Resource

_SECRETS: Final = (
    "gcp:secretmanager/regionalSecret:RegionalSecret",
    "gcp:secretmanager/secret:Secret",
)
_ENDS: Final = ("rotation", "expireTime", "ttl")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if all(get(resource.props, name) is MISSING for name in _ENDS):
        yield "neither rotates nor expires"


RULE: Final = ResourceRule(
    id="data-secret-rotation",
    display_name="Secrets rotate or end",
    description="A secret states when it rotates or expires.",
    why="A secret that never changes stays good for whoever once read it.",
    remediation="set rotation with a topic, or expireTime or ttl.",
    severity=Severity.LOW,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/secret-manager/docs/rotation-recommendations",
    applies=lambda resource_type: resource_type in _SECRETS,
    check=_check,
)
